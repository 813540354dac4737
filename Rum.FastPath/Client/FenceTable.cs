namespace Rum.FastPath.Client;

/// <summary>
/// Which write tokens which silo lives have recorded. A cache: forgetting an entry costs one more Fence, so a full set forgets one that isn't being asked for.
/// </summary>
internal sealed class FenceTable
{
    private const int Sets = 512, Ways = 4;

    internal struct Entry
    {
        public ulong Segment, Incarnation, Token;
        public bool Asking;
    }

    private readonly Entry[] _entries = new Entry[Sets * Ways];
    private int _victim;

    /// <summary>The entry of a segment at a silo's life, made if need be; -1: the set is full of entries being asked for.</summary>
    public int FindOrAdd(ulong segment, ulong incarnation)
    {
        int start = Start(segment, incarnation), free = -1;
        for (int i = start; i < start + Ways; i++)
        {
            ref Entry entry = ref _entries[i];
            if (entry.Segment == segment && entry.Incarnation == incarnation) return i;
            if (entry.Segment == 0 && free < 0) free = i;
        }
        for (int tries = 0; free < 0 && tries < Ways; tries++)
        {
            int candidate = start + (_victim++ & (Ways - 1));
            if (!_entries[candidate].Asking) free = candidate;
        }
        if (free >= 0) _entries[free] = new Entry { Segment = segment, Incarnation = incarnation };
        return free;
    }

    /// <summary>The entry, or -1.</summary>
    public int Find(ulong segment, ulong incarnation)
    {
        int start = Start(segment, incarnation);
        for (int i = start; i < start + Ways; i++)
            if (_entries[i].Segment == segment && _entries[i].Incarnation == incarnation) return i;
        return -1;
    }

    public ref Entry this[int index] => ref _entries[index];

    private static int Start(ulong segment, ulong incarnation) =>
        (int)(((segment * 0x9E3779B97F4A7C15) ^ (incarnation * 0xC2B2AE3D27D4EB4F)) >> 55) * Ways;
}
