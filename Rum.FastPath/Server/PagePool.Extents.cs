using Rum.Core;
using Rum.FastPath.Direct;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Server;

/// <content>Extents: their tables, found by a hash of segment and number; dropping whole ones and tails.</content>
public sealed unsafe partial class PagePool
{
    private const int EntriesPerChore = 4096;

    private readonly int _extentMax;
    private NativeRegion _extentMemory = null!;
    private NativeRegion _extentBucketMemory = null!;
    private NativeRegion _garbageMemory = null!;
    private ExtentRecord* _extents;     // index 0 is none
    private int* _extentBuckets;
    private uint _extentBucketMask;
    private int _extentFree, _extentUntouched = 1;
    private ulong _lastSegment;
    private uint _lastExtent;
    private ExtentRecord* _last;
    private PageEntry** _garbage;       // ring of tables that nobody can find any more
    private int _garbageCapacity;
    private long _garbageProduced, _garbageCollected;
    private int _garbageEntry;

    /// <summary>Raised by each table that was dropped; when <see cref="GarbageCollected"/> reaches a value read here, that drop's frames are free.</summary>
    public long GarbageProduced => _garbageProduced;

    /// <summary>See <see cref="GarbageProduced"/>.</summary>
    public long GarbageCollected => _garbageCollected;

    /// <summary>
    /// Drops a range of pages of a segment; they read as zeros. In extents that it covers whole, writes not newer than anything applied to the segment
    /// before are refused from then on; single pages keep their versions. The frames fall free as in <see cref="DropSegment"/>.
    /// </summary>
    public void DropPages(SegmentId segment, long firstPage, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstPage);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        SegmentRecord* record = FindSegment(segment.Value);
        if (record == null || record->State != SegmentState.Live) return;
        long end = firstPage + Math.Min(count, long.MaxValue - firstPage);
        for (int i = record->FirstExtent; i != 0; i = _extents[i].NextOfSegment)
        {
            ExtentRecord* extent = _extents + i;
            long start = (long)extent->Extent * Layout.PagesPerExtent;
            long from = Math.Max(firstPage - start, 0), to = Math.Min(end - start, Layout.PagesPerExtent);
            // What is cut off and grows again is new.
            if (to - from == Layout.PagesPerExtent) extent->Lost = false;
            if (from >= to || extent->Table == null) continue;
            if (to - from == Layout.PagesPerExtent)
            {
                extent->FloorToken = record->NewestToken;
                extent->FloorSequence = record->NewestSequence;
                DiscardTable(record, extent);
                continue;
            }
            for (long page = from; page < to; page++) Store(record, extent, extent->Table + page, extent->Table[page].Version, 0);
        }
    }

    private void CreateExtents()
    {
        int buckets = PowerOfTwoAtLeast(_extentMax);
        _extentBucketMask = (uint)buckets - 1;
        _extentMemory = new NativeRegion((_extentMax + 1L) * sizeof(ExtentRecord));
        _extentBucketMemory = new NativeRegion((long)buckets * sizeof(int));
        _garbageCapacity = _extentMax;
        _garbageMemory = new NativeRegion((long)_garbageCapacity * sizeof(PageEntry*));
        _extents = (ExtentRecord*)_extentMemory.Start;
        _extentBuckets = (int*)_extentBucketMemory.Start;
        _garbage = (PageEntry**)_garbageMemory.Start;
    }

    private void DisposeExtents()
    {
        for (int i = 1; i < _extentUntouched; i++)
            if (_extents[i].Table != null) EndTable(_extents[i].Table);
        for (; _garbageCollected < _garbageProduced; _garbageCollected++) EndTable(_garbage[_garbageCollected % _garbageCapacity]);
        _extentMemory.Dispose();
        _extentBucketMemory.Dispose();
        _garbageMemory.Dispose();
    }

    private ExtentRecord* FindExtent(ulong segment, uint extent)
    {
        if (_last != null && _lastSegment == segment && _lastExtent == extent) return _last;
        for (int i = _extentBuckets[WindowLayout.Hash(segment, extent) & _extentBucketMask]; i != 0; i = _extents[i].Next)
        {
            if (_extents[i].Segment != segment || _extents[i].Extent != extent) continue;
            _lastSegment = segment;
            _lastExtent = extent;
            return _last = _extents + i;
        }
        return null;
    }

    /// <summary>The extent with its table, made where needed; null when there is no room for it.</summary>
    private ExtentRecord* ExtentForWrite(SegmentRecord* segment, uint extent, ushort shard)
    {
        ExtentRecord* record = ExtentFor(segment, extent, shard);
        if (record == null) return null;
        if (record->Table == null && _garbageProduced - _garbageCollected + _tables < _garbageCapacity)
        {
            record->Table = NewTable();
            if (record->Table == null) return null;
            _tables++;
            // What is lost is answered by name, by the silo itself.
            if (!record->Lost) Window?.Publish((int)(record - _extents), record->Segment, record->Extent, record->Shard, record->Table);
        }
        return record->Table == null ? null : record;
    }

    /// <summary>The extent's record, made where needed; null when there is no room for it.</summary>
    private ExtentRecord* ExtentFor(SegmentRecord* segment, uint extent, ushort shard)
    {
        ExtentRecord* record = FindExtent(segment->Id, extent);
        if (record != null) return record;
        int index = _extentFree;
        if (index != 0) _extentFree = _extents[index].Next;
        else if (_extentUntouched <= _extentMax) index = _extentUntouched++;
        else return null;
        int* bucket = _extentBuckets + (WindowLayout.Hash(segment->Id, extent) & _extentBucketMask);
        record = _extents + index;
        *record = new ExtentRecord { Segment = segment->Id, Extent = extent, Shard = shard, Next = *bucket, NextOfSegment = segment->FirstExtent, BornCut = _cutNumber };
        *bucket = index;
        if (segment->FirstExtent != 0) _extents[segment->FirstExtent].PreviousOfSegment = index;
        segment->FirstExtent = index;
        _extentsUsed++;
        return record;
    }

    private PageEntry* NewTable()
    {
        PageEntry* table = Window == null ? null : Window.TakeTable();
        return table == null ? (PageEntry*)NativeRegion.Map(TableBytes) : table;
    }

    private void EndTable(PageEntry* table)
    {
        if (Window != null && Window.Owns(table)) Window.ReturnTable(table);
        else NativeRegion.Unmap(table, TableBytes);
    }

    private void DiscardTable(SegmentRecord* segment, ExtentRecord* record)
    {
        if (record->Table == null) return;
        // First of all: from here on its frames may be filled again.
        Window?.Withdraw((int)(record - _extents));
        _pagesStored -= record->Stored;
        if (segment->Sparse) _sparsePagesStored -= record->Stored;
        record->Stored = 0;
        if (KeepTableForCut(record))
        {
            record->Table = null;
            _tables--;
            return;
        }
        _garbage[_garbageProduced++ % _garbageCapacity] = record->Table;
        record->Table = null;
        _tables--;
    }

    private void RemoveExtent(SegmentRecord* segment, int index)
    {
        ExtentRecord* record = _extents + index;
        DiscardTable(segment, record);
        OrphanFrozen(record);
        if (record->PreviousOfSegment != 0) _extents[record->PreviousOfSegment].NextOfSegment = record->NextOfSegment;
        else segment->FirstExtent = record->NextOfSegment;
        if (record->NextOfSegment != 0) _extents[record->NextOfSegment].PreviousOfSegment = record->PreviousOfSegment;
        int* link = _extentBuckets + (WindowLayout.Hash(record->Segment, record->Extent) & _extentBucketMask);
        while (*link != index) link = &_extents[*link].Next;
        *link = record->Next;
        *record = new ExtentRecord { Next = _extentFree };
        _extentFree = index;
        _extentsUsed--;
        _last = null;
    }

    private bool CollectGarbage()
    {
        if (_garbageCollected == _garbageProduced) return false;
        PageEntry* table = _garbage[_garbageCollected % _garbageCapacity];
        int end = Math.Min(_garbageEntry + EntriesPerChore, Layout.PagesPerExtent);
        for (; _garbageEntry < end; _garbageEntry++)
            if (table[_garbageEntry].Frame != 0) _arena.Release(table[_garbageEntry].Frame);
        if (_garbageEntry < Layout.PagesPerExtent) return true;
        EndTable(table);
        _garbageEntry = 0;
        _garbageCollected++;
        return true;
    }
}
