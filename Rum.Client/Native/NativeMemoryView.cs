using System.Runtime.CompilerServices;

namespace Rum.Native;

/// <summary>The places where an address becomes a span or a reference: nothing outside this folder is unsafe.</summary>
internal static unsafe class NativeMemoryView
{
    internal static Span<byte> Bytes(nint address, int length) => new((void*)address, length);

    internal static Span<T> Of<T>(nint address, int count) where T : unmanaged => new((void*)address, count);

    internal static ref T Ref<T>(nint address) where T : unmanaged => ref Unsafe.AsRef<T>((void*)address);

    internal static ref T First<T>(Span<byte> bytes) where T : unmanaged => ref Unsafe.As<byte, T>(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(bytes));

    internal static void* Pointer(nint address) => (void*)address;
}
