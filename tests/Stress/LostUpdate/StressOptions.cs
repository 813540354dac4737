using Rum.Pager;
using Rum.Pager.Paging;

namespace Rum.LostUpdate;

/// <summary>Settings of the stress.</summary>
public sealed record StressOptions
{
    /// <summary>How long.</summary>
    public double Seconds { get; init; } = 30;

    /// <summary>The seed of every random choice (the schedule of the threads is the machine's).</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Move or copy.</summary>
    public PagerMode Mode { get; init; }

    /// <summary>The defect to plant; the stress must then end with a violation.</summary>
    public PagerDefect Defect { get; init; }

    /// <summary>The longest time that a request takes.</summary>
    public long DelayUs { get; init; } = 60;

    /// <summary>Buffers that the channel wants lent to receive into, as UDP does; 0: none.</summary>
    public int Lends { get; init; }

    /// <summary>Says what is going on.</summary>
    public bool Verbose { get; init; }
}
