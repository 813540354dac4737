namespace Rum.Core.Ring;

/// <summary>A 64-bit hash that is the same on every run and platform. Not for hostile input.</summary>
public static class StableHash
{
    /// <summary>Mixes one number: the finaliser of splitmix64, a bijection whose every input bit reaches every output bit.</summary>
    public static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>Mixes two numbers; their order matters.</summary>
    public static ulong Mix(ulong first, ulong second) => Mix(Mix(first) ^ second);

    /// <summary>Mixes 128 bits.</summary>
    public static ulong Mix(UInt128 value) => Mix((ulong)(value >> 64), (ulong)value);
}
