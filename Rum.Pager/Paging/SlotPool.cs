using System.Numerics;

namespace Rum.Pager.Paging;

/// <summary>
/// Which slots are free (backed, unused), holes (no physical page) or taken. Blocks of 32 slots, so that runs for one MOVE are found in a
/// word: whole blocks first, so runs survive. Invariant: free + holes + taken == slots.
/// </summary>
internal sealed class SlotPool
{
    internal const int Run = 32;

    private readonly BlockSet _free;
    private readonly BlockSet _holes;

    internal SlotPool(int slots)
    {
        int blocks = (slots + Run - 1) / Run;
        Slots = blocks * Run;
        _free = new BlockSet(blocks);
        _holes = new BlockSet(blocks);
        for (int s = Slots - 1; s >= 0; s--) _holes.Add(s);
    }

    internal int Slots { get; }

    internal int Free => _free.Count;

    internal int Holes => _holes.Count;

    /// <summary>Slots that have a physical page.</summary>
    internal int Backed => Slots - _holes.Count;

    /// <summary>Takes a run of up to <paramref name="want"/> free slots; -1 when there is none.</summary>
    internal int TakeFree(int want, out int got) => _free.Take(want, out got);

    /// <summary>Takes a run of up to <paramref name="want"/> holes, to be filled.</summary>
    internal int TakeHoles(int want, out int got) => _holes.Take(want, out got);

    /// <summary>A taken slot, backed, is free again.</summary>
    internal void GiveFree(int slot) => _free.Add(slot);

    /// <summary>A taken slot lost its physical page.</summary>
    internal void GiveHole(int slot) => _holes.Add(slot);

    /// <summary>A set of slots as one word per block, with stacks of the blocks that may have some, and that may be full.</summary>
    private sealed class BlockSet(int blocks)
    {
        private readonly uint[] _words = new uint[blocks];
        private readonly int[] _some = new int[blocks];
        private readonly int[] _full = new int[blocks];
        private readonly bool[] _inSome = new bool[blocks];
        private readonly bool[] _inFull = new bool[blocks];
        private int _someCount;
        private int _fullCount;

        internal int Count { get; private set; }

        internal void Add(int slot)
        {
            int block = slot / Run;
            uint bit = 1u << (slot % Run);
            Core.Invariant.Check((_words[block] & bit) == 0);
            _words[block] |= bit;
            Count++;
            if (!_inSome[block])
            {
                _inSome[block] = true;
                _some[_someCount++] = block;
            }

            if (_words[block] == uint.MaxValue && !_inFull[block])
            {
                _inFull[block] = true;
                _full[_fullCount++] = block;
            }
        }

        internal int Take(int want, out int got)
        {
            got = 0;
            if (Count == 0) return -1;
            int block = want > 1 ? PopFull() : -1;
            if (block < 0) block = TopSome();
            uint word = _words[block];
            (int start, int length) = Longest(word, want);
            got = Math.Min(length, want);
            uint mask = (got == Run ? uint.MaxValue : (1u << got) - 1) << start;
            _words[block] = word & ~mask;
            Count -= got;
            return block * Run + start;
        }

        private int PopFull()
        {
            while (_fullCount > 0)
            {
                int block = _full[--_fullCount];
                _inFull[block] = false;
                if (_words[block] == uint.MaxValue) return block;
            }

            return -1;
        }

        private int TopSome()
        {
            while (_words[_some[_someCount - 1]] == 0) _inSome[_some[--_someCount]] = false;
            return _some[_someCount - 1];
        }

        /// <summary>The first run of at least <paramref name="want"/> bits, else the longest.</summary>
        private static (int Start, int Length) Longest(uint word, int want)
        {
            int bestStart = 0, best = 0;
            for (int at = BitOperations.TrailingZeroCount(word); at < Run;)
            {
                int length = BitOperations.TrailingZeroCount(~(word >> at));
                length = Math.Min(length, Run - at);
                if (length > best) (bestStart, best) = (at, length);
                if (best >= want || at + length >= Run) break;
                at += length;
                uint rest = word >> at;
                if (rest == 0) break;
                at += BitOperations.TrailingZeroCount(rest);
            }

            return (bestStart, best);
        }
    }
}
