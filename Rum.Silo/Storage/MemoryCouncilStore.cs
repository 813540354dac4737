using Rum.Core.Paxos;

namespace Rum.Silo.Storage;

/// <summary>A council without a disk (<c>rum silo run --dev</c>): the cluster ends with its process.</summary>
public sealed class MemoryCouncilStore : ICouncilStore
{
    /// <summary>A newborn cluster, of this seat alone.</summary>
    public MemoryCouncilStore() => Found = new PaxosDisk(0, CouncilStore.Newborn(ClusterId, Generation, Seat), []);

    /// <inheritdoc/>
    public Guid ClusterId { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public uint Generation => 1;

    /// <inheritdoc/>
    public ulong Seat { get; } = CouncilStore.DrawSeat();

    /// <inheritdoc/>
    public ulong Start => 1;

    /// <inheritdoc/>
    public PaxosDisk Found { get; }

    /// <inheritdoc/>
    public long LogBytes => 0;

    /// <inheritdoc/>
    public void Append(IReadOnlyList<PaxosRecord> records)
    {
        // Nobody will read them.
    }

    /// <inheritdoc/>
    public void Replace(ulong decree, ReadOnlySpan<byte> state, IReadOnlyList<PaxosRecord> remainder)
    {
        // Nothing to shorten: no record was kept.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing to release.
    }
}
