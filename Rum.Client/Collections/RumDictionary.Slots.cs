using System.Runtime.InteropServices;

namespace Rum;

// Finding, filling and moving slots.
public sealed partial class RumDictionary<TKey, TValue>
{
    // Entries taken into local memory at once while the table doubles. Invariant: > 2 * SpareSlots, see Grow.
    private const int GrowChunk = 16 * SpareSlots;

    /// <summary>The slot of a key, or -1; then <paramref name="free"/> is the first empty slot of its probe.</summary>
    private long Find(in TKey key, ulong hash, out TValue value, out long free)
    {
        long at = HomeOf(hash, _header.CapacityLog2);
        while (true)
        {
            Span<Slot> window = Window(at);
            for (int i = 0; i < window.Length; i++)
            {
                ref Slot slot = ref window[i];
                if (slot.Hash == 0)
                {
                    value = default;
                    free = at + i;
                    return -1;
                }

                if (slot.Hash != hash || !SameKey(slot.Key, key)) continue;
                value = slot.Value;
                free = -1;
                return at + i;
            }

            at += window.Length;
        }
    }

    private bool Set(in TKey key, in TValue value, bool replace)
    {
        ulong hash = HashOf(key);
        long at = Find(key, hash, out _, out long free);
        if (at >= 0)
        {
            if (replace) WriteSlot(at, new Slot { Hash = hash, Key = key, Value = value });
            return false;
        }

        if (_header.Count >= LimitOf(_header.CapacityLog2))
        {
            Grow();
            Find(key, hash, out _, out free);
        }

        Place(new Slot { Hash = hash, Key = key, Value = value }, free);
        _header.Count++;
        WriteHeader();
        return true;
    }

    private void Place(in Slot slot, long at)
    {
        if (at >= SlotsOf(_header.CapacityLog2) - 1) throw new InvalidOperationException("A thousand keys have neighbouring hashes: these keys don't suit a hash table.");
        WriteSlot(at, slot);
    }

    /// <summary>Empties a slot and moves later entries of its cluster back, each not before its home, so that no probe meets a gap.</summary>
    private void CloseGap(long gap)
    {
        for (long at = gap + 1; ; at++)
        {
            Slot slot = _segment.Read<Slot>(OffsetOf(at));
            if (slot.Hash == 0) break;
            if (HomeOf(slot.Hash, _header.CapacityLog2) > gap) continue;
            WriteSlot(gap, slot);
            gap = at;
        }

        WriteSlot(gap, default);
    }

    /// <summary>
    /// Doubles the table where it stands. From the top down, chunks of entries are taken out and put at their new homes. An entry in slot s has its home
    /// at s - SpareSlots or above, so its new home is at 2s - 2 * SpareSlots or above: not below its chunk, as long as that starts at 2 * SpareSlots
    /// or above. The lowest part is taken out as one chunk.
    /// </summary>
    private void Grow()
    {
        int before = _header.CapacityLog2;
        _segment.ResizeAsync(BytesOf(before + 1)).AsTask().GetAwaiter().GetResult();
        _header.Growing = 1;
        _header.CapacityLog2 = before + 1;
        WriteHeader();
        Slot[] chunk = new Slot[GrowChunk];
        for (long end = SlotsOf(before); end > 0;)
        {
            long first = end <= GrowChunk ? 0 : Math.Max(2 * SpareSlots, end - GrowChunk);
            Span<Slot> taken = chunk.AsSpan(0, (int)(end - first));
            ReadSlots(first, taken);
            ClearSlots(first, taken.Length);
            foreach (ref Slot slot in taken)
            {
                if (slot.Hash == 0) continue;
                Find(slot.Key, slot.Hash, out _, out long free);
                Place(slot, free);
            }

            end = first;
        }

        _header.Growing = 0;
        WriteHeader();
    }

    private void ClearSlots(long first, int count)
    {
        Slot[] empty = new Slot[Math.Min(count, SpareSlots)];
        for (int done = 0; done < count; done += empty.Length)
        {
            ReadOnlySpan<Slot> part = empty.AsSpan(0, Math.Min(empty.Length, count - done));
            _segment.Write(OffsetOf(first + done), MemoryMarshal.AsBytes(part));
        }
    }

    private Span<Slot> Window(long at)
    {
        Span<Slot> window = _window.AsSpan(0, (int)Math.Min(_window.Length, SlotsOf(_header.CapacityLog2) - at));
        if (window.Length == 0) throw new InvalidDataException($"{_segment.Id}: a probe ran out of the table; something else wrote to it.");
        ReadSlots(at, window);
        return window;
    }

    private void ReadSlots(long first, Span<Slot> to) => _segment.Read(OffsetOf(first), MemoryMarshal.AsBytes(to));

    private void WriteSlot(long at, in Slot slot) => _segment.Write(OffsetOf(at), slot);
}
