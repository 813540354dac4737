using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Snapshots;

namespace Rum.Tests.Unit.Core;

/// <summary>Snapshots in the council, and their files as bytes.</summary>
public sealed class SnapshotTests
{
    private readonly CouncilBench _council = new();

    private SnapshotInfo Only => Assert.Single(((SnapshotsAnswer)_council.Machine.Query(new ListSnapshots())).Snapshots);

    private ulong Life(SiloId silo) => _council.View.Members.Single(member => member.Id == silo).Incarnation.Value;

    private Result Save(SiloId silo) => _council.Say(new SavedSnapshot(Only.Id, silo, new Incarnation(Life(silo)), 5, 6));

    [Fact]
    public void A_snapshot_is_complete_when_every_silo_with_a_part_has_it_on_its_disk()
    {
        SiloId[] silos = [_council.Join("a", 1L << 30), _council.Join("b", 1L << 30), _council.Join("c", 1L << 30)];
        SessionId session = _council.Session();
        _council.Say(new Allocate(session, SegmentKey.FromName("x").Value, 40L << 26, 2, SegmentFlags.Sparse, default));
        _council.Allocate(session, 1 << 20);
        Assert.Equal(RumError.None, _council.Say(new BeginSnapshot("first", 1000)).Error);
        Assert.Equal(RumError.None, _council.Say(new BeginSnapshot("first", 1000)).Error);
        Assert.Equal(RumError.Pending, _council.Say(new BeginSnapshot("second", 1001)).Error);
        Assert.Equal(SnapshotState.Cutting, Only.State);

        ulong asOf = _council.Machine.Decree, view = _council.Machine.ViewDecree;
        // A segment that came meanwhile, and a view that changed: the cut doesn't count.
        _council.Allocate(session, 1 << 20, "late");
        Assert.Equal(RumError.StaleView, _council.Say(new CutSnapshot(Only.Id, 77, asOf, view, 4000)).Error);
        asOf = _council.Machine.Decree;
        Assert.Equal(RumError.StaleView, _council.Say(new CutSnapshot(Only.Id, 77, asOf, view - 1, 4000)).Error);
        Assert.Equal(RumError.None, _council.Say(new CutSnapshot(Only.Id, 77, asOf, _council.Machine.ViewDecree, 4000)).Error);
        Assert.Equal((SnapshotState.Saving, 2), (Only.State, Only.Segments));
        var duties = silos.Select(silo => (SnapshotDutyAnswer)_council.Machine.Query(new GetSnapshotDuty(Only.Id, silo, default))).ToArray();
        // Each shard of the segment with two copies is saved twice, that of the other once.
        Assert.Equal((2 * 40) + 1, duties.Sum(duty => duty.Shards.Count));
        Assert.All(duties, duty => Assert.Equal(2, duty.Segments.Count));

        foreach (SiloId silo in silos)
        {
            Assert.Equal(SnapshotState.Saving, Only.State);
            Assert.Equal(RumError.None, Save(silo).Error);
        }
        Assert.Equal(SnapshotState.Complete, Only.State);
        Restart();
        Assert.Equal(SnapshotState.Complete, Only.State);
        // Its silos may go; it stays.
        _council.Join("a", 1L << 30);
        Assert.Equal(SnapshotState.Complete, Only.State);
        Assert.Equal(RumError.AlreadyExists, _council.Say(new BeginSnapshot("first", 2000)).Error);
        Assert.Equal(RumError.None, _council.Say(new DeleteSnapshot(Only.Id)).Error);
        Assert.Empty(((SnapshotsAnswer)_council.Machine.Query(new ListSnapshots())).Snapshots);
    }

    [Fact]
    public void A_silo_that_ends_before_it_has_saved_its_part_fails_the_snapshot()
    {
        SiloId silo = _council.Join("a", 1L << 30);
        _council.Allocate(_council.Session(), 1 << 20, "x");
        _council.Say(new BeginSnapshot("", 1000));
        _council.Say(new CutSnapshot(Only.Id, 7, _council.Machine.Decree, _council.Machine.ViewDecree, 4000));
        ulong past = Life(silo);
        _council.Join("a", 1L << 30);
        Assert.Equal(SnapshotState.Failed, Only.State);
        Assert.Contains("silo a ended", Only.Reason);
        Assert.Equal(RumError.StaleView, _council.Say(new SavedSnapshot(Only.Id, silo, new Incarnation(past), 1, 1)).Error);
        Restart();
        // It is told of until the next one.
        Assert.Equal(RumError.None, _council.Say(new BeginSnapshot("", 2000)).Error);
        Assert.Equal((2ul, SnapshotState.Cutting), (Only.Id, Only.State));
    }

    [Fact]
    public void A_restore_ends_the_sessions_and_begins_another_generation_of_frames()
    {
        _council.Join("a", 1L << 30);
        SessionId session = _council.Session();
        uint before = _council.View.FrameGeneration;
        Assert.Equal(RumError.SegmentBusy, _council.Say(new BeginRestore(false, 0)).Error);
        Assert.Equal(before, _council.View.FrameGeneration);
        Assert.Equal(RumError.None, _council.Say(new BeginRestore(true, 0)).Error);
        uint after = _council.View.FrameGeneration;
        Assert.NotEqual(before, after);
        Assert.Equal(RumError.SessionExpired, _council.Machine.Query(new Heartbeat(session)).Error);
        // Asked for again it is the same one.
        Assert.Equal(RumError.None, _council.Say(new BeginRestore(true, 0)).Error);
        Assert.Equal(after, _council.View.FrameGeneration);
        Restart();
        Assert.Equal(after, _council.View.FrameGeneration);
    }

    [Fact]
    public void Files_come_back_as_they_were_written_and_damage_is_seen()
    {
        var random = new Random(5);
        var header = new SnapshotHeader(
            Guid.NewGuid(), 9, "name", 123456789, 77, "silo", 64, [.. Enumerable.Range(1, 900).Select(i => new SnapshotSegment(new SegmentId((ulong)i), (UInt128)i, i << 20, SegmentFlags.Sparse, 2, new ShardId((ushort)i)))],
            [.. Enumerable.Range(0, 64).Select(static i => new ShardId((ushort)i))], [new ShardId(5)]);
        byte[] bytes = SnapshotFormat.WriteHeader(header);
        Assert.Equal(0, bytes.Length % SnapshotFormat.Block);
        SnapshotHeader back = SnapshotFormat.ReadHeader(bytes, out string wrong)!;
        Assert.Equal("", wrong);
        Assert.Equal((header.ClusterId, header.Name, header.Cut), (back.ClusterId, back.Name, back.Cut));
        Assert.Equal(header.Segments, back.Segments);
        Assert.Equal(header.Shards, back.Shards);
        Damage(bytes, bytes.Length, copy => SnapshotFormat.ReadHeader(copy, out _) is { } read && read.Segments.Count != 900, random);

        byte[] block = new byte[SnapshotFormat.Block * 3];
        random.NextBytes(block);
        var about = new SnapshotBlock(9, new SegmentId(4), 3, new ShardId(2), 1);
        ushort[] pages = new ushort[SnapshotFormat.PagesPerBlock];
        Assert.Equal(block.Length, SnapshotFormat.SealBlock(block, about, [7, 9]));
        Assert.True(SnapshotFormat.TryReadBlock(block, out SnapshotBlock read, pages));
        Assert.Equal((about.Segment, about.Extent, about.Shard, about.Index, 2), (read.Segment, read.Extent, read.Shard, read.Index, read.Count));
        Assert.Equal([7, 9], pages[..2]);
        Damage(block, SnapshotFormat.Block, copy => SnapshotFormat.TryReadBlock(copy, out _, pages), random);

        SnapshotExtent[] extents = [new(new SegmentId(1), 2, 3), new(new SegmentId(4), 5, 6)];
        byte[] footer = SnapshotFormat.WriteFooter(9, extents);
        Assert.Equal(extents, SnapshotFormat.ReadFooter(footer, 9));
        Assert.Null(SnapshotFormat.ReadFooter(footer, 8));
        Assert.Null(SnapshotFormat.ReadFooter(footer.AsSpan(0, 20), 9));
        Damage(footer, 60, copy => SnapshotFormat.ReadFooter(copy, 9) is not null, random);
    }

    [Fact]
    public void Random_bytes_are_no_snapshot()
    {
        var random = new Random(6);
        byte[] bytes = new byte[2 * SnapshotFormat.Block];
        ushort[] pages = new ushort[SnapshotFormat.PagesPerBlock];
        for (int i = 0; i < 2000; i++)
        {
            random.NextBytes(bytes);
            if (i % 2 == 0) "RUMSNAP\n"u8.CopyTo(bytes);
            ReadOnlySpan<byte> some = bytes.AsSpan(0, random.Next(bytes.Length));
            Assert.Null(SnapshotFormat.ReadHeader(some, out string wrong));
            Assert.NotEqual("", wrong);
            Assert.False(SnapshotFormat.TryReadBlock(some, out _, pages));
            Assert.Null(SnapshotFormat.ReadFooter(some, 1));
        }
    }

    private static void Damage(byte[] bytes, int within, Func<byte[], bool> accepted, Random random)
    {
        for (int i = 0; i < 300; i++)
        {
            byte[] copy = [.. bytes];
            copy[random.Next(within)] ^= (byte)(1 << random.Next(8));
            Assert.False(accepted(copy), $"damage {i} was not seen");
        }
    }

    private void Restart()
    {
        byte[] state = CouncilSnapshot.Encode(_council.Machine);
        Assert.True(CouncilSnapshot.TryDecode(state, out CouncilMachine? machine));
        Assert.Equal(state, CouncilSnapshot.Encode(machine));
        _council.Machine = machine;
    }
}
