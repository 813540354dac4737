using Rum.FastPath.Linux;

namespace Rum.FastPath.Memory;

/// <summary>An eventfd: <see cref="Set"/> from any thread makes <see cref="Descriptor"/> readable until <see cref="Clear"/>.</summary>
public sealed unsafe class WakeEvent : IDisposable
{
    private readonly FileDescriptor _descriptor =
        new(Descriptors.eventfd(0, Descriptors.EFD_CLOEXEC | Descriptors.EFD_NONBLOCK), nameof(Descriptors.eventfd));

    /// <summary>What to poll for reading; -1 once disposed.</summary>
    public int Descriptor => _descriptor.Value;

    /// <summary>Makes it readable. After <see cref="Dispose"/>: does nothing.</summary>
    public void Set()
    {
        ulong one = 1;
        _ = Descriptors.write(Descriptor, &one, sizeof(ulong));
    }

    /// <summary>
    /// Makes it unreadable, whoever made it readable, also one that wrote to the descriptor itself; says whether it was. One owner. It asks the kernel: a flag beside the descriptor would
    /// be wrong whenever the setter is stopped between the two, and the owner, whom the write wakes on that very CPU, would look again and again until the setter runs.
    /// </summary>
    public bool Clear()
    {
        ulong count;
        return Descriptors.read(Descriptor, &count, sizeof(ulong)) > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _descriptor.Dispose();
}
