using Rum.Core;

namespace Rum;

/// <summary>How a segment is made. The default is anonymous memory, spread over the silos and charged when it is allocated.</summary>
public readonly record struct RumAllocation
{
    /// <summary>The key under which it stays until it is deleted; the zero key: anonymous, freed when it is disposed or the session ends.</summary>
    public SegmentKey Key { get; init; }

    /// <summary>The number of the silo that holds all of it, as <c>rum status</c> shows it; 0: spread over all.</summary>
    public ushort Silo { get; init; }

    /// <summary>
    /// Nothing is charged up front, so that it may be far larger than the memory of the silos; in return a flush may fail with
    /// <see cref="OutOfRemoteMemoryException"/>.
    /// </summary>
    public bool Sparse { get; init; }

    /// <summary>Copies of each page, 1 to 5, each on another silo; 0: what RUM_COPIES says, else as the cluster is configured (1 unless it was told otherwise).</summary>
    public int Copies { get; init; }

    /// <summary>The copies lie in different racks (labels of the silos) as far as there are so many.</summary>
    public bool AcrossRacks { get; init; }

    /// <summary>A named segment; the name is hashed to its key.</summary>
    public static RumAllocation Named(string name) => new() { Key = SegmentKey.FromName(name) };
}
