using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Linux;
using Rum.FastPath.Memory;
using Rum.FastPath.Server;

namespace Rum.FastPath.Direct;

/// <summary>
/// The silo's end of direct reads: frames, tables and what leads to them, in shared memory that clients of this host may map for reading. A file of fixed size
/// without blocks: memory is taken where it is touched. Owned by the pool's thread. See <see cref="WindowLayout"/> for the order of stores.
/// </summary>
public sealed unsafe class PageWindow : IDisposable
{
    private const int Access = Mappings.PROT_READ | Mappings.PROT_WRITE;

    private readonly FileDescriptor _file;
    private readonly FileDescriptor _readOnly;
    private readonly NativeRegion _memory;
    private readonly NativeRegion _freeMemory;
    private readonly WindowHeader* _header;
    private readonly ulong* _shards;
    private readonly uint* _buckets;
    private readonly WindowRecord* _records;
    private readonly byte* _tables;
    private readonly uint* _free;   // stack of table numbers that were used before
    private readonly uint _bucketMask;
    private uint _freeCount, _untouched = 1;
    private ulong _stamp;
    private int _shardsUsed;

    /// <summary>Reserves address space for everything.</summary>
    /// <param name="frames">Page frames.</param>
    /// <param name="extents">Extents at once.</param>
    /// <exception cref="IOException">The kernel refuses.</exception>
    internal PageWindow(long frames, int extents)
    {
        uint buckets = System.Numerics.BitOperations.RoundUpToPowerOf2((uint)extents);
        long shardsAt = WindowLayout.HeaderBytes;
        long bucketsAt = shardsAt + ((long)WindowLayout.Shards * sizeof(ulong));
        long recordsAt = RoundUp(bucketsAt + ((long)buckets * sizeof(uint)), Layout.PageSize);
        long tablesAt = RoundUp(recordsAt + ((extents + 1L) * sizeof(WindowRecord)), WindowLayout.FrameAlignment);
        long framesAt = RoundUp(tablesAt + (extents * WindowLayout.TableBytes), WindowLayout.FrameAlignment);
        long bytes = framesAt + (frames << Layout.PageShift);
        _file = new FileDescriptor(
            Mappings.memfd_create("rum-window", Mappings.MFD_CLOEXEC | Mappings.MFD_ALLOW_SEALING), nameof(Mappings.memfd_create));
        try
        {
            ErrnoException.Check(Descriptors.ftruncate(_file.Value, bytes), nameof(Descriptors.ftruncate), $"{bytes} bytes");
            ErrnoException.Check(
                Descriptors.fcntl(_file.Value, Descriptors.F_ADD_SEALS, Descriptors.F_SEAL_SHRINK | Descriptors.F_SEAL_GROW | Descriptors.F_SEAL_SEAL),
                nameof(Descriptors.fcntl), "F_ADD_SEALS");
            _readOnly = new FileDescriptor(
                Files.open($"/proc/self/fd/{_file.Value}", Descriptors.O_RDONLY | Descriptors.O_CLOEXEC), nameof(Files.open), "the window for reading");
            _memory = NativeRegion.Shared(_file, bytes, WindowLayout.FrameAlignment);
        }
        catch
        {
            _readOnly?.Dispose();
            _file.Dispose();
            throw;
        }
        byte* start = _memory.Start;
        _header = (WindowHeader*)start;
        _shards = (ulong*)(start + shardsAt);
        _buckets = (uint*)(start + bucketsAt);
        _records = (WindowRecord*)(start + recordsAt);
        _tables = start + tablesAt;
        _bucketMask = buckets - 1;
        _freeMemory = new NativeRegion((extents + 1L) * sizeof(uint));
        _free = (uint*)_freeMemory.Start;
        // Tables are used sparsely.
        _ = Mappings.madvise(_tables, (nuint)(framesAt - tablesAt), Mappings.MADV_NOHUGEPAGE);
        Frames = _memory.Part(framesAt, frames << Layout.PageShift);
        *_header = new WindowHeader
        {
            Version = WindowLayout.Version,
            Records = (uint)extents,
            Buckets = buckets,
            Tables = (uint)extents,
            Frames = (ulong)frames,
            Bytes = (ulong)bytes,
            ShardsAt = (ulong)shardsAt,
            BucketsAt = (ulong)bucketsAt,
            RecordsAt = (ulong)recordsAt,
            TablesAt = (ulong)tablesAt,
            FramesAt = (ulong)framesAt,
        };
        Volatile.Write(ref _header->Magic, WindowLayout.Magic);
    }

    /// <summary>The memory as a descriptor that can only be read; valid until this is disposed.</summary>
    public int ReadOnlyDescriptor => _readOnly.Value;

    /// <summary>Where the frames live.</summary>
    internal NativeRegion Frames { get; }

    /// <summary>Which life of a silo it is.</summary>
    internal void Serve(Incarnation incarnation) => Volatile.Write(ref _header->Incarnation, incarnation.Value);

    /// <summary>Puts a view in force. Nothing may be done under it before.</summary>
    internal void SetView(ServerView view)
    {
        // Of another generation nothing holds.
        if (_header->Generation != view.Generation) ForgetView();
        Volatile.Write(ref _header->Generation, view.Generation);
        _shardsUsed = Math.Max(_shardsUsed, Math.Min(view.Shards, WindowLayout.Shards));
        for (int i = 0; i < _shardsUsed; i++) Volatile.Write(ref _shards[i], view.IsInSync(i) ? WindowLayout.ShardWord(view.Epoch((ushort)i)) : 0);
    }

    /// <summary>A table of zeros, or null: there is none left, or no memory.</summary>
    internal PageEntry* TakeTable()
    {
        uint table = _freeCount > 0 ? _free[--_freeCount] : _untouched <= _header->Tables ? _untouched++ : 0;
        return table == 0 ? null : (PageEntry*)(_tables + ((table - 1) * WindowLayout.TableBytes));
    }

    /// <summary>Whether a table is one of these.</summary>
    internal bool Owns(PageEntry* table) => (byte*)table >= _tables && (byte*)table < Frames.Start;

    /// <summary>Ends <see cref="TakeTable"/>. Nobody may find the table any more.</summary>
    internal void ReturnTable(PageEntry* table)
    {
        long offset = (byte*)table - _memory.Start;
        if (!_memory.TryDiscard(offset, WindowLayout.TableBytes)) new Span<byte>(table, (int)WindowLayout.TableBytes).Clear();
        _free[_freeCount++] = (uint)(((byte*)table - _tables) / WindowLayout.TableBytes) + 1;
    }

    /// <summary>Lets readers find an extent's table. The number is the extent's own until <see cref="Withdraw"/>.</summary>
    internal void Publish(int number, ulong segment, uint extent, ushort shard, PageEntry* table)
    {
        if (!Owns(table)) return;
        WindowRecord* record = _records + number;
        Invariant.Check(record->Stamp == 0);
        uint* bucket = _buckets + (WindowLayout.Hash(segment, extent) & _bucketMask);
        Volatile.Write(ref record->Segment, segment);
        Volatile.Write(ref record->Extent, extent);
        Volatile.Write(ref record->Shard, shard);
        Volatile.Write(ref record->Table, (uint)(((byte*)table - _tables) / WindowLayout.TableBytes) + 1);
        Volatile.Write(ref record->Next, *bucket);
        Volatile.Write(ref record->Stamp, ++_stamp);
        Volatile.Write(ref *bucket, (uint)number);
    }

    /// <summary>No reader trusts an extent's table any more. Does nothing where none was published.</summary>
    internal void Withdraw(int number)
    {
        WindowRecord* record = _records + number;
        if (record->Stamp == 0) return;
        Volatile.Write(ref record->Stamp, 0);
        uint* link = _buckets + (WindowLayout.Hash(record->Segment, record->Extent) & _bucketMask);
        while (*link != (uint)number) link = &_records[*link].Next;
        Volatile.Write(ref *link, record->Next);
    }

    /// <summary>No reader trusts anything any more: clients may keep the memory longer than the silo.</summary>
    internal void Hide()
    {
        Volatile.Write(ref _header->Incarnation, 0);
        ForgetView();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_file.IsClosed) return;
        Hide();
        _freeMemory.Dispose();
        _memory.Dispose();
        _readOnly.Dispose();
        _file.Dispose();
    }

    private void ForgetView()
    {
        for (int i = 0; i < _shardsUsed; i++) Volatile.Write(ref _shards[i], 0);
    }

    private static long RoundUp(long value, long to) => (value + to - 1) & ~(to - 1);
}
