namespace Rum.Silo.Storage;

/// <summary>A council without a disk (<c>rum silo run --dev</c>): the cluster ends with its process.</summary>
public sealed class MemoryCouncilStore : ICouncilStore
{
    /// <inheritdoc/>
    public Guid ClusterId { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public uint Generation => 1;

    /// <inheritdoc/>
    public ulong LastDecree { get; private set; }

    /// <inheritdoc/>
    public long LogBytes => 0;

    /// <inheritdoc/>
    public StoredDecree Checkpoint { get; } = new(0, []);

    /// <inheritdoc/>
    public IReadOnlyList<StoredDecree> Batches => [];

    /// <inheritdoc/>
    public void Append(ulong decree, ReadOnlySpan<byte> batch) => LastDecree = decree;

    /// <inheritdoc/>
    public void WriteCheckpoint(ReadOnlySpan<byte> state)
    {
        // Nothing to shorten: no batch was kept.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing to release.
    }
}
