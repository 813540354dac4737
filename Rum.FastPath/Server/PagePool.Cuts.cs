using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Server;

/// <content>
/// Cuts: the pool as it was at one moment, kept for a snapshot while writes go on. The mark itself costs nothing. The first change of an extent after it copies the extent's table (not its
/// pages: frames are immutable), and a frame that only the copy still names is kept until the extent was saved. Writes come first: when no frame is left for them the cut is given up.
/// </content>
public sealed unsafe partial class PagePool
{
    private struct Frozen
    {
        public PageEntry* Table;
        public ulong Segment;
        public uint Extent;
        public ushort Shard;
        public int Record;         // the extent's record, 0 once that is gone
    }

    private readonly bool _ignoresCuts;
    private readonly List<Frozen> _frozen = [];
    private readonly Stack<int> _frozenFree = new();
    private uint _cutNumber;       // of the latest cut; extents that were born in it or are saved say so
    private ulong _cut;            // its name, 0: none is kept
    private int _frozenCount;
    private bool _cutFailed;

    /// <summary>The name of the cut that is kept, 0 for none.</summary>
    public ulong Cut => _cut;

    /// <summary>Whether the cut had to be given up: what is read of it is worth nothing. Any thread.</summary>
    public bool CutFailed => Volatile.Read(ref _cutFailed);

    /// <summary>Keeps the pool as it is now, under a name that is not 0, until <see cref="EndCut"/>. Of an earlier cut nothing is kept any more.</summary>
    public void MarkCut(ulong name)
    {
        EndCut();
        // What is left of the one before would be taken for this one's.
        while (ThawOne())
        {
        }
        _cutNumber++;
        _cut = name;
        Volatile.Write(ref _cutFailed, false);
        if (_ignoresCuts) return;
        _frozen.EnsureCapacity(_extentsUsed);
    }

    /// <summary>Nothing of the cut is kept any more. Its frames fall free in <see cref="DoChores"/>.</summary>
    public void EndCut() => _cut = 0;

    /// <summary>Extents that are not wanted needn't be kept.</summary>
    public void RestrictCut(Func<SegmentId, ShardId, bool> wanted)
    {
        for (int i = 1; i < _extentUntouched; i++)
        {
            ExtentRecord* extent = _extents + i;
            if (extent->Segment == 0 || wanted(new SegmentId(extent->Segment), new ShardId(extent->Shard))) continue;
            extent->SavedCut = _cutNumber;
            if (extent->Frozen != 0) Thaw(extent->Frozen - 1);
        }
        for (int i = 0; i < _frozen.Count; i++)
            if (_frozen[i].Table != null && !wanted(new SegmentId(_frozen[i].Segment), new ShardId(_frozen[i].Shard))) Thaw(i);
    }

    /// <summary>
    /// The next extent of the cut from <paramref name="cursor"/> on, which it moves: which pages have images, and where those stand until <see cref="SavedExtent"/> is told of the extent.
    /// False: there is none left.
    /// </summary>
    public bool NextOfCut(ref int cursor, CutExtent into)
    {
        int end = Math.Min(_extentUntouched, cursor + ScannedMax);
        for (cursor = Math.Max(cursor, 1); cursor < end; cursor++)
        {
            ExtentRecord* extent = _extents + cursor;
            if (extent->Segment == 0 || !InCut(extent)) continue;
            PageEntry* table = extent->Frozen != 0 ? _frozen[extent->Frozen - 1].Table : extent->Table;
            if (table == null) continue;
            into.Take(cursor++, -1, extent->Segment, extent->Extent, extent->Shard, table, this);
            return true;
        }
        into.Clear();
        if (cursor < _extentUntouched) return true;
        // Last those whose records are gone: while the others were gone through, more may have become so.
        for (int i = 0; i < _frozen.Count; i++)
        {
            Frozen frozen = _frozen[i];
            if (frozen.Table == null || frozen.Record != 0) continue;
            into.Take(0, i, frozen.Segment, frozen.Extent, frozen.Shard, frozen.Table, this);
            return true;
        }
        return false;
    }

    /// <summary>An extent was saved: it needn't be kept any more.</summary>
    public void SavedExtent(CutExtent saved)
    {
        if (saved.Frozen >= 0)
        {
            if (_frozen[saved.Frozen].Table != null && _frozen[saved.Frozen].Record == 0) Thaw(saved.Frozen);
            return;
        }
        ExtentRecord* extent = _extents + saved.Record;
        bool same = extent->Segment == saved.Segment && extent->Extent == saved.Extent && extent->BornCut < _cutNumber;
        if (same)
        {
            extent->SavedCut = _cutNumber;
            if (extent->Frozen != 0) Thaw(extent->Frozen - 1);
            return;
        }
        // Its record went meanwhile.
        for (int i = 0; i < _frozen.Count; i++)
            if (_frozen[i].Table != null && _frozen[i].Record == 0 && _frozen[i].Segment == saved.Segment && _frozen[i].Extent == saved.Extent) Thaw(i);
    }

    private bool InCut(ExtentRecord* extent) => _cut != 0 && !_cutFailed && extent->SavedCut != _cutNumber && extent->BornCut < _cutNumber;

    /// <summary>Before an entry of an extent changes.</summary>
    private void KeepForCut(ExtentRecord* extent)
    {
        if (_cut == 0 || extent->Frozen != 0 || !InCut(extent) || _ignoresCuts) return;
        var copy = (PageEntry*)NativeRegion.Map(TableBytes);
        if (copy == null)
        {
            Volatile.Write(ref _cutFailed, true);
            return;
        }
        Buffer.MemoryCopy(extent->Table, copy, TableBytes, TableBytes);
        AddFrozen(extent, copy);
    }

    /// <summary>Before an extent's table is thrown away: what the cut needs of it stays. True: the table itself is kept.</summary>
    private bool KeepTableForCut(ExtentRecord* extent)
    {
        if (extent->Frozen != 0)
        {
            PageEntry* kept = _frozen[extent->Frozen - 1].Table;
            for (int i = 0; i < Layout.PagesPerExtent; i++)
                if (extent->Table[i].Frame == kept[i].Frame) extent->Table[i].Disown();
            return false;
        }
        if (_cut == 0 || !InCut(extent) || _ignoresCuts) return false;
        AddFrozen(extent, extent->Table);
        return true;
    }

    private bool IsKept(ExtentRecord* extent, PageEntry* entry, uint frame) =>
        extent->Frozen != 0 && _frozen[extent->Frozen - 1].Table[entry - extent->Table].Frame == frame;

    private void AddFrozen(ExtentRecord* extent, PageEntry* table)
    {
        var frozen = new Frozen { Table = table, Segment = extent->Segment, Extent = extent->Extent, Shard = extent->Shard, Record = (int)(extent - _extents) };
        if (_frozenFree.TryPop(out int index)) _frozen[index] = frozen;
        else
        {
            index = _frozen.Count;
            _frozen.Add(frozen);
        }
        extent->Frozen = index + 1;
        _frozenCount++;
    }

    private void OrphanFrozen(ExtentRecord* extent)
    {
        if (extent->Frozen != 0) CollectionsMarshal.AsSpan(_frozen)[extent->Frozen - 1].Record = 0;
    }

    /// <summary>Gives back a kept table and the frames that it alone names.</summary>
    private void Thaw(int index)
    {
        Frozen frozen = _frozen[index];
        ExtentRecord* extent = frozen.Record == 0 ? null : _extents + frozen.Record;
        PageEntry* now = extent == null ? null : extent->Table;
        for (int i = 0; i < Layout.PagesPerExtent; i++)
        {
            uint frame = frozen.Table[i].Frame;
            if (frame != 0 && (now == null || now[i].Frame != frame)) ReturnFrame(frame);
        }
        EndTable(frozen.Table);
        if (extent != null) extent->Frozen = 0;
        _frozen[index] = default;
        _frozenFree.Push(index);
        _frozenCount--;
    }

    /// <summary>Thaws one table that no cut needs any more; false: there is none.</summary>
    private bool ThawOne()
    {
        if (_frozenCount == 0 || (_cut != 0 && !_cutFailed)) return false;
        for (int i = _frozen.Count - 1; i >= 0; i--)
        {
            if (_frozen[i].Table == null) continue;
            Thaw(i);
            return true;
        }
        return false;
    }

    /// <summary>Writes come before the snapshot: its frames are given back. False: it had none.</summary>
    private bool GiveUpCut()
    {
        if (_frozenCount == 0) return false;
        Volatile.Write(ref _cutFailed, true);
        return ThawOne();
    }

    private void DisposeCuts()
    {
        foreach (Frozen frozen in _frozen)
            if (frozen.Table != null) EndTable(frozen.Table);
        _frozen.Clear();
    }
}
