using System.Runtime.Intrinsics.X86;
using Rum.Core;
using Rum.FastPath.Linux;
using Rum.FastPath.Server;

namespace Rum.FastPath.Direct;

/// <summary>
/// A client's end of direct reads: the memory of a silo of this host, mapped for reading. Whatever stands there is taken for hostile: a number is used only when it is in
/// bounds, so nothing outside of the mapping is ever read, and a page only counts when all that leads to it stood still meanwhile. Owned by one thread.
/// </summary>
public sealed unsafe class DirectReader : IDisposable
{
    private const int Tries = 2;
    private const int LineBytes = 64;

    private readonly MemoryMapping _memory;
    private readonly WindowHeader* _header;
    private readonly ulong* _shards;
    private readonly uint* _buckets;
    private readonly WindowRecord* _records;
    private readonly byte* _tables, _frames;
    private readonly uint _bucketMask, _recordCount, _tableCount;
    private readonly ulong _frameCount;
    private readonly DirectDefect _defect;
    private uint _last;

    private DirectReader(MemoryMapping memory, byte* start, in WindowHeader header, DirectDefect defect)
    {
        _memory = memory;
        _header = (WindowHeader*)start;
        _shards = (ulong*)(start + header.ShardsAt);
        _buckets = (uint*)(start + header.BucketsAt);
        _records = (WindowRecord*)(start + header.RecordsAt);
        _tables = start + header.TablesAt;
        _frames = start + header.FramesAt;
        _bucketMask = header.Buckets - 1;
        _recordCount = header.Records;
        _tableCount = header.Tables;
        _frameCount = header.Frames;
        Incarnation = new Incarnation(header.Incarnation);
        _defect = defect;
    }

    /// <summary>The life of the silo whose memory it is.</summary>
    public Incarnation Incarnation { get; }

    /// <summary>Maps the memory behind a descriptor, which stays the caller's. Null, and why: it can't be mapped, or isn't what this build knows.</summary>
    public static DirectReader? TryOpen(int descriptor, out string whyNot, DirectDefect defect = DirectDefect.None)
    {
        const int Needed = Descriptors.F_SEAL_SHRINK | Descriptors.F_SEAL_SEAL;
        long bytes = Descriptors.lseek(descriptor, 0, Descriptors.SEEK_END);
        if (bytes < WindowLayout.HeaderBytes || (Descriptors.fcntl(descriptor, Descriptors.F_GET_SEALS, 0) & Needed) != Needed)
        {
            whyNot = "the memory could be taken away again";
            return null;
        }
        MemoryMapping? memory = null;
        try
        {
            // More than needed, so that the file's huge pages can be mapped as such.
            memory = new MemoryMapping(
                bytes + WindowLayout.FrameAlignment, Mappings.PROT_NONE, Mappings.MAP_PRIVATE | Mappings.MAP_ANONYMOUS | Mappings.MAP_NORESERVE);
            byte* start = (byte*)(((nuint)memory.Pointer + (nuint)WindowLayout.FrameAlignment - 1) & ~((nuint)WindowLayout.FrameAlignment - 1));
            void* mapped = Mappings.mmap(
                start, (nuint)bytes, Mappings.PROT_READ, Mappings.MAP_SHARED | Mappings.MAP_FIXED | Mappings.MAP_NORESERVE, descriptor, 0);
            if (mapped == Mappings.MAP_FAILED) ErrnoException.ThrowLast(nameof(Mappings.mmap), $"{bytes} bytes");
            // A silo's pages belong in no core dump of this process, and in no child of it.
            _ = Mappings.madvise(start, (nuint)bytes, Mappings.MADV_DONTDUMP);
            _ = Mappings.madvise(start, (nuint)bytes, Mappings.MADV_DONTFORK);
            // A copy: the memory may change under our feet.
            WindowHeader header = *(WindowHeader*)start;
            if (IsSane(header, (ulong)bytes))
            {
                whyNot = "";
                return new DirectReader(memory, start, header, defect);
            }
            whyNot = "it is laid out differently";
        }
        catch (ErrnoException e)
        {
            whyNot = e.Message;
        }
        memory?.Dispose();
        return null;
    }

    /// <summary>
    /// Copies a page, if this silo holds its shard in sync at exactly this epoch and has the page's extent, and nothing of it changes meanwhile. Ok: the page is in <paramref name="to"/>. Zero: it
    /// reads as zeros. NotReady: ask the silo. What <paramref name="to"/> holds then is of no use.
    /// </summary>
    internal PageStatus Read(ulong segment, ulong page, ushort shard, uint epoch, uint generation, byte* to, out PageVersion version) =>
        Read(segment, page, shard, epoch, generation, to, out version, default(Uninterrupted));

    /// <summary>The same, with something that happens between any two looks: for tests.</summary>
    internal PageStatus Read<T>(ulong segment, ulong page, ushort shard, uint epoch, uint generation, byte* to, out PageVersion version, T between)
        where T : struct, IBetweenLooks
    {
        version = default;
        ulong held = WindowLayout.ShardWord(epoch);
        uint extent = (uint)(page / Layout.PagesPerExtent);
        for (int i = 0; i < Tries; i++)
        {
            if (!Holds(shard, held, generation)) return PageStatus.NotReady;
            between.Look(0);
            WindowRecord* record = Find(segment, extent, shard, out ulong stamp);
            if (record == null) return PageStatus.NotReady;
            between.Look(1);
            uint table = Volatile.Read(ref record->Table);
            if (table - 1 >= _tableCount) return PageStatus.NotReady;
            var entry = (PageEntry*)(_tables + ((table - 1) * WindowLayout.TableBytes)) + (page % Layout.PagesPerExtent);
            between.Look(2);
            ulong word = Volatile.Read(ref entry->Word);
            between.Look(3);
            ulong token = Volatile.Read(ref entry->Token), sequence = Volatile.Read(ref entry->Sequence);
            between.Look(4);
            uint frame = (uint)word;
            if (frame > _frameCount) return PageStatus.NotReady;
            if ((word & WindowLayout.Busy) != 0) continue;
            if (frame != 0) Buffer.MemoryCopy(_frames + ((frame - 1L) << Layout.PageShift), to, Layout.PageSize, Layout.PageSize);
            between.Look(5);
            // The copy is done before anything is looked at again, however it is done.
            Interlocked.MemoryBarrier();
            bool same = Volatile.Read(ref entry->Sequence) == sequence && Volatile.Read(ref entry->Token) == token && Volatile.Read(ref entry->Word) == word;
            if (!same && _defect != DirectDefect.TrustsEntries) continue;
            between.Look(6);
            if (Volatile.Read(ref record->Stamp) != stamp && _defect != DirectDefect.TrustsRecords) continue;
            between.Look(7);
            if (!Holds(shard, held, generation) && _defect != DirectDefect.TrustsViews) return PageStatus.NotReady;
            version = new PageVersion(token, sequence);
            return frame == 0 ? PageStatus.Zero : PageStatus.Ok;
        }
        return PageStatus.NotReady;
    }

    /// <summary>Asks the processor for a page that will be read in a moment. Only a hint: nothing is checked but bounds.</summary>
    internal void Prefetch(ulong segment, ulong page, ushort shard)
    {
        if (!Sse.IsSupported) return;
        WindowRecord* record = Find(segment, (uint)(page / Layout.PagesPerExtent), shard, out _);
        if (record == null) return;
        uint table = Volatile.Read(ref record->Table);
        if (table - 1 >= _tableCount) return;
        var entry = (PageEntry*)(_tables + ((table - 1) * WindowLayout.TableBytes)) + (page % Layout.PagesPerExtent);
        uint frame = (uint)Volatile.Read(ref entry->Word);
        if (frame == 0 || frame > _frameCount) return;
        byte* image = _frames + ((frame - 1L) << Layout.PageShift);
        for (int at = 0; at < Layout.PageSize; at += LineBytes) Sse.Prefetch0(image + at);
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private bool Holds(ushort shard, ulong held, uint generation) =>
        Volatile.Read(ref _shards[shard]) == held && Volatile.Read(ref _header->Generation) == generation
        && Volatile.Read(ref _header->Incarnation) == Incarnation.Value;

    private WindowRecord* Find(ulong segment, uint extent, ushort shard, out ulong stamp)
    {
        // Pages that are read one after the other are mostly of one extent.
        WindowRecord* record = _records + _last;
        if (Is(record, segment, extent, shard, out stamp)) return record;
        uint number = Volatile.Read(ref _buckets[WindowLayout.Hash(segment, extent) & _bucketMask]);
        for (int i = 0; i < WindowLayout.ChainMax && number - 1 < _recordCount; i++)
        {
            record = _records + number;
            if (Is(record, segment, extent, shard, out stamp))
            {
                _last = number;
                return record;
            }
            number = Volatile.Read(ref record->Next);
        }
        return null;
    }

    private static bool Is(WindowRecord* record, ulong segment, uint extent, ushort shard, out ulong stamp)
    {
        stamp = Volatile.Read(ref record->Stamp);
        return stamp != 0 && Volatile.Read(ref record->Segment) == segment && Volatile.Read(ref record->Extent) == extent
            && Volatile.Read(ref record->Shard) == shard;
    }

    private static bool IsSane(in WindowHeader header, ulong bytes) =>
        header.Magic == WindowLayout.Magic && header.Version == WindowLayout.Version && header.Bytes == bytes && header.Incarnation != 0
        && System.Numerics.BitOperations.IsPow2(header.Buckets)
        && Fits(header.ShardsAt, WindowLayout.Shards, sizeof(ulong), bytes)
        && Fits(header.BucketsAt, header.Buckets, sizeof(uint), bytes)
        && Fits(header.RecordsAt, header.Records + 1UL, (ulong)sizeof(WindowRecord), bytes)
        && Fits(header.TablesAt, header.Tables, (ulong)WindowLayout.TableBytes, bytes)
        && header.Frames <= uint.MaxValue && Fits(header.FramesAt, header.Frames, Layout.PageSize, bytes);

    // No product of these overflows: counts have 32 bits and sizes at most 19.
    private static bool Fits(ulong at, ulong count, ulong size, ulong bytes) => at % 8 == 0 && at <= bytes && count * size <= bytes - at;
}

/// <summary>What happens between two looks of a direct read at the silo's memory.</summary>
internal interface IBetweenLooks
{
    /// <summary>How many places there are.</summary>
    const int Places = 8;

    /// <summary>Called at each place.</summary>
    void Look(int place);
}

/// <summary>Nothing, at no cost.</summary>
internal readonly struct Uninterrupted : IBetweenLooks
{
    public void Look(int place)
    {
    }
}
