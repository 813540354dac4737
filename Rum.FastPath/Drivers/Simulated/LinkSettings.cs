namespace Rum.FastPath.Drivers.Simulated;

/// <summary>What a simulated link does to the frames that travel over it, in one direction. Rates are probabilities from 0 to 1.</summary>
public sealed record LinkSettings
{
    /// <summary>A link that only delays.</summary>
    public static readonly LinkSettings Perfect = new();

    /// <summary>Share of frames that vanish.</summary>
    public double Loss { get; init; }

    /// <summary>Share of frames that arrive twice, each copy with a delay of its own.</summary>
    public double Duplication { get; init; }

    /// <summary>Share of copies in which one to four bytes are altered.</summary>
    public double Corruption { get; init; }

    /// <summary>Share of copies that lose their tail.</summary>
    public double Truncation { get; init; }

    /// <summary>Share of copies held up by <see cref="ReorderDelayNs"/> more, so that later ones overtake them.</summary>
    public double Reordering { get; init; }

    /// <summary>The extra delay of held up copies.</summary>
    public long ReorderDelayNs { get; init; } = 200_000;

    /// <summary>The shortest way.</summary>
    public long DelayNsMin { get; init; } = 10_000;

    /// <summary>The longest way. Equal to <see cref="DelayNsMin"/> (and no <see cref="Reordering"/>): frames keep their order.</summary>
    public long DelayNsMax { get; init; } = 10_000;
}
