using Rum.Core.Paxos;

namespace Rum.Silo.Storage;

/// <summary>
/// What a seat of the council has made durable: a checkpoint of the state and the records behind it. Owned by one thread.
/// </summary>
public interface ICouncilStore : IDisposable
{
    /// <summary>Drawn when the cluster was born.</summary>
    Guid ClusterId { get; }

    /// <summary>Raised by each restore.</summary>
    uint Generation { get; }

    /// <summary>Drawn when this store was made: a store that is gone is a seat that is gone.</summary>
    ulong Seat { get; }

    /// <summary>How often it was opened, this time included; durable already.</summary>
    ulong Start { get; }

    /// <summary>What was found when it was opened; forgotten by <see cref="Replace"/>.</summary>
    PaxosDisk Found { get; }

    /// <summary>Bytes of records since the last checkpoint.</summary>
    long LogBytes { get; }

    /// <summary>Appends records; all of them are durable when this returns, and after a crash before that either all or none. Throws <see cref="CouncilStoreException"/>.</summary>
    void Append(IReadOnlyList<PaxosRecord> records);

    /// <summary>Replaces the checkpoint by the state as of a decree, and the log by what must be kept besides.</summary>
    void Replace(ulong decree, ReadOnlySpan<byte> state, IReadOnlyList<PaxosRecord> remainder);
}

/// <summary>The data directory can't be used: the message names the file, what is wrong with it, and what to do.</summary>
public sealed class CouncilStoreException(string message, Exception? inner = null) : IOException(message, inner);
