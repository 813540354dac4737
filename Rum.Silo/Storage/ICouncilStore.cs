namespace Rum.Silo.Storage;

/// <summary>
/// Where the council keeps its decrees: a checkpoint of the state and the batches after it, by decree. Owned by one thread.
/// The bytes are opaque here.
/// </summary>
public interface ICouncilStore : IDisposable
{
    /// <summary>Drawn when the cluster was born.</summary>
    Guid ClusterId { get; }

    /// <summary>Raised by each restore.</summary>
    uint Generation { get; }

    /// <summary>The decree of the last batch that is durable.</summary>
    ulong LastDecree { get; }

    /// <summary>Bytes of batches since the last checkpoint.</summary>
    long LogBytes { get; }

    /// <summary>The state as of the last checkpoint; empty when there was none yet.</summary>
    StoredDecree Checkpoint { get; }

    /// <summary>The batches after the checkpoint, in order.</summary>
    IReadOnlyList<StoredDecree> Batches { get; }

    /// <summary>Appends a batch as decree <see cref="LastDecree"/> + 1; it is durable when this returns. Throws <see cref="CouncilStoreException"/>.</summary>
    void Append(ulong decree, ReadOnlySpan<byte> batch);

    /// <summary>Replaces the checkpoint by the state as of <see cref="LastDecree"/> and empties the log.</summary>
    void WriteCheckpoint(ReadOnlySpan<byte> state);
}

/// <summary>A decree's number and its bytes.</summary>
public sealed record StoredDecree(ulong Decree, byte[] Bytes);

/// <summary>The data directory can't be used: the message names the file, what is wrong with it, and what to do.</summary>
public sealed class CouncilStoreException(string message, Exception? inner = null) : IOException(message, inner);
