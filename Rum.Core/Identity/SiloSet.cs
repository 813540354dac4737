namespace Rum.Core;

/// <summary>Up to five silos in an order, as one value. Empty: none in particular.</summary>
public readonly record struct SiloSet(SiloId First, SiloId Second = default, SiloId Third = default, SiloId Fourth = default, SiloId Fifth = default)
{
    /// <summary>The most silos in a set: as many as a page can have copies.</summary>
    public const int Max = 5;

    /// <summary>How many silos there are; they stand in front.</summary>
    public int Count => Fifth.Value != 0 ? 5 : Fourth.Value != 0 ? 4 : Third.Value != 0 ? 3 : Second.Value != 0 ? 2 : First.Value != 0 ? 1 : 0;

    /// <summary>One of them.</summary>
    public SiloId this[int index] => index switch { 0 => First, 1 => Second, 2 => Third, 3 => Fourth, 4 => Fifth, _ => default };

    /// <summary>The set of one silo, empty for silo 0.</summary>
    public static implicit operator SiloSet(SiloId silo) => new(silo);

    /// <summary>The set of these silos in this order.</summary>
    public static SiloSet Of(ReadOnlySpan<SiloId> silos)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(silos.Length, Max, nameof(silos));
        SiloId At(ReadOnlySpan<SiloId> all, int index) => index < all.Length ? all[index] : default;
        return new SiloSet(At(silos, 0), At(silos, 1), At(silos, 2), At(silos, 3), At(silos, 4));
    }

    /// <summary>Whether a silo is among them.</summary>
    public bool Contains(SiloId silo)
    {
        for (int i = 0; i < Count; i++)
            if (this[i] == silo) return true;
        return false;
    }

    /// <summary>Whether the silos stand in front and none is there twice.</summary>
    public bool IsSound
    {
        get
        {
            for (int i = 0; i < Max; i++)
            {
                if (i >= Count ? this[i].Value != 0 : this[i].Value == 0) return false;
                for (int j = 0; j < i && i < Count; j++)
                    if (this[i] == this[j]) return false;
            }
            return true;
        }
    }
}
