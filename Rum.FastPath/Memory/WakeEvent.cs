using System.Runtime.InteropServices;

namespace Rum.FastPath.Memory;

/// <summary>An eventfd: <see cref="Set"/> from any thread makes <see cref="Descriptor"/> readable until <see cref="Clear"/>.</summary>
public sealed unsafe partial class WakeEvent : IDisposable
{
    private const int CloseOnExec = 0x80000, NonBlocking = 0x800;

    /// <summary>Creates it, cleared.</summary>
    public WakeEvent()
    {
        Descriptor = EventFd(0, CloseOnExec | NonBlocking);
        if (Descriptor < 0) throw new InvalidOperationException($"eventfd failed with errno {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>What to poll for reading.</summary>
    public int Descriptor { get; private set; }

    /// <summary>Makes it readable.</summary>
    public void Set()
    {
        ulong one = 1;
        _ = Write(Descriptor, &one, sizeof(ulong));
    }

    /// <summary>Makes it unreadable.</summary>
    public void Clear()
    {
        ulong count;
        _ = Read(Descriptor, &count, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Descriptor < 0) return;
        _ = Close(Descriptor);
        Descriptor = -1;
    }

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, void* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
