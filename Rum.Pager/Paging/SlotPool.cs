using System.Numerics;

namespace Rum.Pager.Paging;

/// <summary>
/// Which slots are free (backed, unused), holes (no physical page) or taken. Blocks of 64 slots, so that runs for one MOVE are found in a
/// word: whole blocks first, so runs survive. Invariant: free + holes + taken == slots.
/// </summary>
internal sealed class SlotPool
{
    internal const int Run = 64;

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

    /// <summary>A set of slots as one word per block; the blocks that have some and those that are full in a list each.</summary>
    private sealed class BlockSet
    {
        private const int LookAtMost = 4;

        private readonly ulong[] _words;
        private readonly int[] _next;
        private readonly int[] _previous;
        private readonly int _someHead;
        private readonly int _fullHead;

        internal BlockSet(int blocks)
        {
            _words = new ulong[blocks];
            _next = new int[blocks + 2];
            _previous = new int[blocks + 2];
            _someHead = blocks;
            _fullHead = blocks + 1;
            _next[_someHead] = _previous[_someHead] = _someHead;
            _next[_fullHead] = _previous[_fullHead] = _fullHead;
        }

        internal int Count { get; private set; }

        internal void Add(int slot)
        {
            int block = slot / Run;
            ulong old = _words[block];
            ulong bit = 1UL << (slot % Run);
            Core.Invariant.Check((old & bit) == 0);
            _words[block] = old | bit;
            Count++;
            if (old == 0)
            {
                Link(block, _someHead);
            }
            else if ((old | bit) == ulong.MaxValue)
            {
                Unlink(block);
                Link(block, _fullHead);
            }
        }

        internal int Take(int want, out int got)
        {
            got = 0;
            if (Count == 0) return -1;
            int block = Choose(want);
            ulong word = _words[block];
            (int start, int length) = Longest(word, want);
            got = Math.Min(length, want);
            ulong left = word & ~(ulong.MaxValue >> (Run - got) << start);
            _words[block] = left;
            Count -= got;
            if (left == 0 || word == ulong.MaxValue)
            {
                Unlink(block);
                if (left != 0) Link(block, _someHead);
            }

            return block * Run + start;
        }

        /// <summary>A block with a long enough run: one that is begun if it is near, so that whole ones stay whole for whole windows.</summary>
        private int Choose(int want)
        {
            int best = -1, bestLength = 0, looked = 0;
            for (int block = _next[_someHead]; block != _someHead && looked < LookAtMost; block = _next[block], looked++)
            {
                int length = want == 1 ? 1 : Longest(_words[block], want).Length;
                if (length >= want) return block;
                if (length > bestLength) (best, bestLength) = (block, length);
            }

            int full = _next[_fullHead];
            return full != _fullHead ? full : best;
        }

        private void Link(int block, int head)
        {
            int next = _next[head];
            _next[block] = next;
            _previous[block] = head;
            _previous[next] = block;
            _next[head] = block;
        }

        private void Unlink(int block)
        {
            _next[_previous[block]] = _next[block];
            _previous[_next[block]] = _previous[block];
        }

        /// <summary>The first run of at least <paramref name="want"/> bits, else the longest.</summary>
        private static (int Start, int Length) Longest(ulong word, int want)
        {
            int bestStart = 0, best = 0;
            for (int at = BitOperations.TrailingZeroCount(word); at < Run;)
            {
                int length = Math.Min(BitOperations.TrailingZeroCount(~(word >> at)), Run - at);
                if (length > best) (bestStart, best) = (at, length);
                if (best >= want || at + length >= Run) break;
                at += length;
                ulong rest = word >> at;
                if (rest == 0) break;
                at += BitOperations.TrailingZeroCount(rest);
            }

            return (bestStart, best);
        }
    }
}
