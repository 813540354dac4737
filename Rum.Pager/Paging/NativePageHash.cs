using System.Runtime.InteropServices;

namespace Rum.Pager.Paging;

/// <summary>Mirrors struct rum_page_hash of Native/hash.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativePageHash
{
    internal delegate* unmanaged[SuppressGCTransition]<byte*, ulong*, ulong> Of;
    internal delegate* unmanaged[SuppressGCTransition]<byte*, byte*, ulong*, ulong> Copy;
}
