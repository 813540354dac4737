using Rum.Core;
using Rum.FastPath.Direct;
using Rum.FastPath.Linux;
using Rum.FastPath.Server;

namespace Rum.Transport.Tests.Direct;

/// <summary>What a silo shows is only believed as far as it can do no harm: whatever stands there, a reader stays inside of it and comes to an end.</summary>
public sealed unsafe class HostileWindowTests
{
    private const int Records = 16, Buckets = 16, Tables = 4, Frames = 64;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_reader_survives_whatever_stands_there(int seed)
    {
        var random = new Random(seed);
        using FileDescriptor file = Make(Sane(out long bytes), bytes, out byte* start);
        DirectReader? reader = DirectReader.TryOpen(file.Value, out string whyNot);
        Assert.True(reader is not null, whyNot);
        WindowHeader header = *(WindowHeader*)start;
        byte* to = stackalloc byte[Layout.PageSize];
        int read = 0;
        for (int round = 0; round < 20_000; round++)
        {
            for (int i = 0; i < 8; i++)
            {
                var record = (WindowRecord*)(start + header.RecordsAt) + random.Next(Records + 1);
                *record = new WindowRecord
                {
                    Stamp = Odd(random, 2),
                    Segment = (ulong)random.Next(4),
                    Extent = (uint)random.Next(2),
                    Table = (uint)Odd(random, Tables + 1),
                    Next = (uint)Odd(random, Records + 1),
                    Shard = (uint)random.Next(2),
                };
                ((uint*)(start + header.BucketsAt))[random.Next(Buckets)] = (uint)Odd(random, Records + 1);
                var entry = (PageEntry*)(start + header.TablesAt + (random.Next(Tables) * WindowLayout.TableBytes)) + random.Next(8);
                entry->Word = Odd(random, Frames + 1);
            }
            ulong* shards = (ulong*)(start + header.ShardsAt);
            shards[0] = shards[1] = WindowLayout.ShardWord(1);
            ulong page = (ulong)random.Next(8) + ((ulong)random.Next(2) * Layout.PagesPerExtent);
            reader.Prefetch((ulong)random.Next(4), page, (ushort)random.Next(2));
            if (reader.Read((ulong)random.Next(4), page, (ushort)random.Next(2), 1, 0, to, out _) != PageStatus.NotReady) read++;
        }
        reader.Dispose();
        _ = Mappings.munmap(start, (nuint)bytes);
        Assert.True(read > 10, "nothing got as far as a page: what was made up is too wild to try anything");
    }

    [Fact]
    public void What_leads_outside_is_not_opened()
    {
        WindowHeader sane = Sane(out long bytes);
        Assert.True(Opens(sane, bytes));
        Assert.False(Opens(sane with { Magic = 1 }, bytes));
        Assert.False(Opens(sane with { Version = 2 }, bytes));
        Assert.False(Opens(sane with { Incarnation = 0 }, bytes));
        Assert.False(Opens(sane with { Bytes = (ulong)bytes + 4096 }, bytes));
        Assert.False(Opens(sane with { Buckets = 3 }, bytes));
        Assert.False(Opens(sane with { Buckets = 1u << 31 }, bytes));
        Assert.False(Opens(sane with { Records = uint.MaxValue }, bytes));
        Assert.False(Opens(sane with { Tables = uint.MaxValue }, bytes));
        Assert.False(Opens(sane with { Frames = Frames + 1 }, bytes));
        Assert.False(Opens(sane with { Frames = ulong.MaxValue }, bytes));
        Assert.False(Opens(sane with { FramesAt = ulong.MaxValue - 7 }, bytes));
        Assert.False(Opens(sane with { TablesAt = (ulong)bytes }, bytes));
        Assert.False(Opens(sane with { ShardsAt = 1 }, bytes));
        Assert.False(Opens(sane with { RecordsAt = (ulong)bytes - 8 }, bytes));
    }

    [Fact]
    public void Memory_that_could_be_taken_away_is_not_opened()
    {
        using FileDescriptor file = Make(Sane(out long bytes), bytes, out byte* start, seals: false);
        Assert.Null(DirectReader.TryOpen(file.Value, out _));
        _ = Mappings.munmap(start, (nuint)bytes);
    }

    [Fact]
    public void Who_gets_the_memory_for_reading_cannot_write_it()
    {
        using var silo = new DirectPool();
        long bytes = Descriptors.lseek(silo.Pool.Window!.ReadOnlyDescriptor, 0, Descriptors.SEEK_END);
        void* mapped = Mappings.mmap(
            null, (nuint)bytes, Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED | Mappings.MAP_NORESERVE, silo.Pool.Window.ReadOnlyDescriptor, 0);
        Assert.True(mapped == Mappings.MAP_FAILED, "the silo's memory could be mapped for writing");
        void* read = Mappings.mmap(null, (nuint)bytes, Mappings.PROT_READ, Mappings.MAP_SHARED | Mappings.MAP_NORESERVE, silo.Pool.Window.ReadOnlyDescriptor, 0);
        Assert.True(read != Mappings.MAP_FAILED);
        Assert.NotEqual(0, Mappings.mprotect(read, 4096, Mappings.PROT_READ | Mappings.PROT_WRITE));
        _ = Mappings.munmap(read, (nuint)bytes);
    }

    private static ulong Odd(Random random, int legal) => random.Next(8) switch
    {
        0 => ulong.MaxValue,
        1 => (ulong)random.NextInt64(),
        2 => (ulong)legal,
        _ => (ulong)random.Next(legal),
    };

    private static bool Opens(in WindowHeader header, long bytes)
    {
        using FileDescriptor file = Make(header, bytes, out byte* start);
        using DirectReader? reader = DirectReader.TryOpen(file.Value, out _);
        _ = Mappings.munmap(start, (nuint)bytes);
        return reader is not null;
    }

    private static WindowHeader Sane(out long bytes)
    {
        ulong shards = WindowLayout.HeaderBytes, buckets = shards + (WindowLayout.Shards * 8), records = buckets + (Buckets * 4);
        ulong tables = (records + ((Records + 1) * (ulong)sizeof(WindowRecord)) + 4095) & ~4095UL, frames = tables + (Tables * (ulong)WindowLayout.TableBytes);
        bytes = (long)(frames + (Frames * Layout.PageSize));
        return new WindowHeader
        {
            Magic = WindowLayout.Magic,
            Version = WindowLayout.Version,
            Records = Records,
            Buckets = Buckets,
            Tables = Tables,
            Frames = Frames,
            Bytes = (ulong)bytes,
            ShardsAt = shards,
            BucketsAt = buckets,
            RecordsAt = records,
            TablesAt = tables,
            FramesAt = frames,
            Incarnation = 5,
        };
    }

    private static FileDescriptor Make(in WindowHeader header, long bytes, out byte* start, bool seals = true)
    {
        var file = new FileDescriptor(Mappings.memfd_create("rum-hostile", Mappings.MFD_CLOEXEC | Mappings.MFD_ALLOW_SEALING), nameof(Mappings.memfd_create));
        ErrnoException.Check(Descriptors.ftruncate(file.Value, bytes), nameof(Descriptors.ftruncate));
        if (seals)
            ErrnoException.Check(Descriptors.fcntl(file.Value, Descriptors.F_ADD_SEALS, Descriptors.F_SEAL_SHRINK | Descriptors.F_SEAL_SEAL), nameof(Descriptors.fcntl));
        start = (byte*)Mappings.mmap(null, (nuint)bytes, Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED, file.Value, 0);
        Assert.True(start != Mappings.MAP_FAILED);
        *(WindowHeader*)start = header;
        return file;
    }
}
