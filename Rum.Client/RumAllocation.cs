using Rum.Core;

namespace Rum;

/// <summary>How a segment is made. The default is anonymous memory, spread over the silos and charged when it is allocated.</summary>
public readonly record struct RumAllocation
{
    private readonly ushort[]? _silos;

    /// <summary>The key under which it stays until it is deleted; the zero key: anonymous, freed when it is disposed or the session ends.</summary>
    public SegmentKey Key { get; init; }

    /// <summary>The number of the silo that holds all of it, as <c>rum status</c> shows it; 0: spread over all.</summary>
    public ushort Silo { get; init; }

    /// <summary>
    /// The numbers of 1 to 5 silos with a copy of all of it each, where there are any instead of <see cref="Silo"/> and <see cref="Copies"/>; the first is read. The copies
    /// stay there: one whose silo ends is made again when that silo is back, nowhere else.
    /// </summary>
    /// <exception cref="ArgumentException">More than 5, or a silo 0.</exception>
    public IReadOnlyList<ushort> Silos
    {
        get => _silos ?? [];
        init
        {
            if (value.Count > SiloSet.Max || value.Contains((ushort)0)) throw new ArgumentException($"an allocation names at most {SiloSet.Max} silos, by numbers from 1 on.", nameof(value));
            _silos = [.. value];
        }
    }

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

    internal ushort SiloAt(int index) => Silos.Count > 0 ? (index < Silos.Count ? Silos[index] : (ushort)0) : index == 0 ? Silo : (ushort)0;
}
