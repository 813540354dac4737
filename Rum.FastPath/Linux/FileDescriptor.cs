using Microsoft.Win32.SafeHandles;

namespace Rum.FastPath.Linux;

/// <summary>Owns a file descriptor and closes it once.</summary>
public sealed class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    /// <summary>Takes over the descriptor that <paramref name="call"/> returned, or throws its error.</summary>
    public FileDescriptor(int descriptor, string call, string? about = null)
        : base(ownsHandle: true)
    {
        if (descriptor < 0) ErrnoException.ThrowLast(call, about);
        SetHandle(descriptor);
    }

    /// <summary>The descriptor's number; -1 once disposed.</summary>
    public int Value => IsClosed ? -1 : (int)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Descriptors.close((int)handle) == 0;
}
