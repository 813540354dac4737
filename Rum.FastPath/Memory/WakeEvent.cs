using Rum.FastPath.Linux;

namespace Rum.FastPath.Memory;

/// <summary>An eventfd: <see cref="Set"/> from any thread makes <see cref="Descriptor"/> readable until <see cref="Clear"/>.</summary>
public sealed unsafe class WakeEvent : IDisposable
{
    private readonly FileDescriptor _descriptor =
        new(Descriptors.eventfd(0, Descriptors.EFD_CLOEXEC | Descriptors.EFD_NONBLOCK), nameof(Descriptors.eventfd));

    // Set after the write and cleared before the read: at worst somebody looks once too often.
    private bool _set;

    /// <summary>What to poll for reading; -1 once disposed.</summary>
    public int Descriptor => _descriptor.Value;

    /// <summary>Makes it readable. After <see cref="Dispose"/>: does nothing.</summary>
    public void Set()
    {
        ulong one = 1;
        _ = Descriptors.write(Descriptor, &one, sizeof(ulong));
        Volatile.Write(ref _set, true);
    }

    /// <summary>Makes it unreadable; no system call where nobody made it readable. One owner.</summary>
    public void Clear()
    {
        if (!Volatile.Read(ref _set)) return;
        Volatile.Write(ref _set, false);
        Interlocked.MemoryBarrier();
        ulong count;
        _ = Descriptors.read(Descriptor, &count, sizeof(ulong));
    }

    /// <summary>Makes it unreadable whoever made it readable, also one that wrote to the descriptor itself; says whether it was readable. One owner.</summary>
    public bool TakeWritten()
    {
        ulong count;
        return Descriptors.read(Descriptor, &count, sizeof(ulong)) > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _descriptor.Dispose();
}
