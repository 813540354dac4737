namespace Rum.Core;

// The small identifiers stand together: each is one number with a name, so that the compiler keeps them apart.

/// <summary>A segment's number, drawn by the council, never reused. 0 is no segment.</summary>
public readonly record struct SegmentId(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"segment {Value}";
}

/// <summary>A silo's number in the cluster, drawn by the council at its first join. 0 is no silo.</summary>
public readonly record struct SiloId(ushort Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"silo {Value}";
}

/// <summary>One life of a silo process, drawn anew (random, non-zero) at each start and checked on every frame by both ends.</summary>
public readonly record struct Incarnation(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Value:x16}";
}

/// <summary>A client's session, drawn by the council. 0 is no session.</summary>
public readonly record struct SessionId(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"session {Value}";
}

/// <summary>A shard: the unit in which extents are assigned to silos.</summary>
public readonly record struct ShardId(ushort Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"shard {Value}";
}

/// <summary>
/// The version of a page: the writer's token, then its sequence. Ordered by token first; (0, 0) is a page never written.
/// The image of one version never changes.
/// </summary>
public readonly record struct PageVersion(ulong Token, ulong Sequence) : IComparable<PageVersion>
{
    /// <inheritdoc/>
    public int CompareTo(PageVersion other)
    {
        int byToken = Token.CompareTo(other.Token);
        return byToken != 0 ? byToken : Sequence.CompareTo(other.Sequence);
    }

    /// <summary>Whether left is older than right.</summary>
    public static bool operator <(PageVersion left, PageVersion right) => left.CompareTo(right) < 0;

    /// <summary>Whether left is newer than right.</summary>
    public static bool operator >(PageVersion left, PageVersion right) => left.CompareTo(right) > 0;

    /// <summary>Whether left is not newer than right.</summary>
    public static bool operator <=(PageVersion left, PageVersion right) => left.CompareTo(right) <= 0;

    /// <summary>Whether left is not older than right.</summary>
    public static bool operator >=(PageVersion left, PageVersion right) => left.CompareTo(right) >= 0;
}
