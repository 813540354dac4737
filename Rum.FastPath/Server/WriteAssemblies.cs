using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Server;

/// <summary>
/// Writes of which some fragments are here. Sets of four by (session, slot): a fifth in a set pushes out the oldest, whose sender then sends again. So memory
/// is bounded and a flood of first fragments costs only those who share its set.
/// </summary>
internal sealed unsafe class WriteAssemblies(PagePool pool, long ageNsMax) : IDisposable
{
    private const int Sets = 64, Ways = 4;

    private struct Entry
    {
        public FrameHeader Header;
        public PeerAddress Peer;
        public ulong Have;
        public long SinceNs;
        public uint Frame;         // 0: the entry is free
    }

    private readonly NativeRegion _memory = new(Sets * Ways * (long)sizeof(Entry));
    private int _held;
    private long _lookAtNs = long.MaxValue;

    /// <summary>Frames that this can hold on to; the pool's reserve must be larger.</summary>
    public const int FramesMax = Sets * Ways;

    /// <summary>
    /// Takes in a fragment that <see cref="FrameCodec.Check"/> passed. Returns the frame when it is whole (the caller's now), else 0;
    /// <paramref name="missing"/> has a bit for each fragment that isn't here, 0 where the page can't be taken in now.
    /// </summary>
    public uint Add(in RxFrame fragment, long nowNs, ref long dropped, out ulong missing)
    {
        missing = 0;
        var header = (FrameHeader*)fragment.Header;
        if (header->FragmentCount > 64) return 0;
        Entry* entry = Find(fragment.Peer, header, ref dropped);
        if (entry->Frame == 0)
        {
            entry->Frame = pool.TakeFrame();
            if (entry->Frame == 0) return 0;
            if (_held++ == 0) _lookAtNs = nowNs + ageNsMax;
            entry->Header = *header;
            entry->Peer = fragment.Peer;
            entry->Have = 0;
            entry->SinceNs = nowNs;
        }
        else if (!SameMessage(&entry->Header, header))
        {
            return 0;
        }
        ulong bit = 1UL << header->FragmentIndex, all = ulong.MaxValue >> (64 - header->FragmentCount);
        missing = all & ~(entry->Have | bit);
        if ((entry->Have & bit) != 0) return 0;
        Buffer.MemoryCopy(
            fragment.Payload, pool.Address(entry->Frame) + header->FragmentOffset, Layout.PageSize - header->FragmentOffset, header->Length);
        entry->Have |= bit;
        entry->SinceNs = nowNs;
        if (missing != 0) return 0;
        uint frame = entry->Frame;
        Free(entry);
        return frame;
    }

    /// <summary>When <see cref="AgeOut"/> is due, <see cref="long.MaxValue"/> while nothing is held: who holds nothing need not be woken.</summary>
    public long DueNs => _lookAtNs;

    /// <summary>Forgets what is too old, if it is time to look. Once in that age, whatever the traffic: none is held for more than twice as long.</summary>
    public void AgeOut(long nowNs, ref long dropped)
    {
        if (nowNs < _lookAtNs) return;
        _lookAtNs = nowNs + ageNsMax;
        for (Entry* entry = (Entry*)_memory.Start; entry < (Entry*)_memory.Start + FramesMax; entry++)
        {
            if (entry->Frame == 0 || nowNs - entry->SinceNs < ageNsMax) continue;
            Forget(entry);
            dropped++;
        }
    }

    public void Dispose() => _memory.Dispose();

    private Entry* Find(PeerAddress peer, FrameHeader* header, ref long dropped)
    {
        ulong hash = ((header->Session * 31) + header->Slot) * 0x9E3779B97F4A7C15;
        Entry* set = (Entry*)_memory.Start + ((hash >> 58) * Ways);
        Entry* free = null, oldest = set;
        for (Entry* entry = set; entry < set + Ways; entry++)
        {
            if (entry->Frame == 0)
            {
                free = entry;
                continue;
            }
            if (entry->Header.Session == header->Session && entry->Header.Slot == header->Slot && entry->Peer == peer)
            {
                // A slot has one request at a time: another counter ends the one before. (A late duplicate of an old one may win here; resends settle it.)
                if (entry->Header.Counter != header->Counter) Forget(entry);
                return entry;
            }
            if (entry->SinceNs < oldest->SinceNs || oldest->Frame == 0) oldest = entry;
        }
        if (free != null) return free;
        Forget(oldest);
        dropped++;
        return oldest;
    }

    private static bool SameMessage(FrameHeader* a, FrameHeader* b) =>
        a->Segment == b->Segment && a->Page == b->Page && a->Token == b->Token && a->Sequence == b->Sequence
        && a->FragmentCount == b->FragmentCount && FrameCodec.FragmentSize(a) == FrameCodec.FragmentSize(b);

    private void Forget(Entry* entry)
    {
        pool.ReturnFrame(entry->Frame);
        Free(entry);
    }

    private void Free(Entry* entry)
    {
        entry->Frame = 0;
        if (--_held == 0) _lookAtNs = long.MaxValue;
    }
}
