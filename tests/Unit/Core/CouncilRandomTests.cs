using FsCheck;
using FsCheck.Fluent;
using Rum.Core;
using Rum.Core.Council;
using Result = Rum.Core.Council.Result;

namespace Rum.Tests.Unit.Core;

/// <summary>Random commands against a naive model that only counts.</summary>
public sealed class CouncilRandomTests
{
    private const long Extent = Layout.ExtentSize;

    [Fact]
    public void The_ledger_balances_after_any_commands() =>
        Prop.ForAll<int>(seed => new Run(seed).Steps(150)).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Fact]
    public void A_replayed_log_and_a_snapshot_give_the_same_bytes_and_the_same_answers() =>
        Prop.ForAll<int>(seed =>
        {
            var run = new Run(seed);
            run.Steps(60);
            byte[] middle = CouncilSnapshot.Encode(run.Council.Machine);
            int logged = run.Council.Log.Count;
            Assert.True(CouncilSnapshot.TryDecode(middle, out CouncilMachine? restored));
            restored.Verify();
            Assert.Equal(middle, CouncilSnapshot.Encode(restored));
            run.Steps(60);

            var replayed = new CouncilMachine(restored.ClusterId, restored.Generation, restored.RingShards);
            for (int i = 0; i < run.Council.Log.Count; i++)
            {
                Result result = replayed.Apply((ulong)i + 1, run.Council.Log[i]);
                if (i >= logged) Assert.Equal(result, restored.Apply((ulong)i + 1, run.Council.Log[i]));
            }
            byte[] end = CouncilSnapshot.Encode(run.Council.Machine);
            Assert.Equal(end, CouncilSnapshot.Encode(replayed));
            Assert.Equal(end, CouncilSnapshot.Encode(restored));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(25));

    [Fact]
    public void A_damaged_snapshot_is_refused_or_is_sound()
    {
        var run = new Run(1);
        run.Steps(80);
        byte[] good = CouncilSnapshot.Encode(run.Council.Machine);
        var random = new Random(5);
        int refused = 0;
        for (int i = 0; i < 3000; i++)
        {
            byte[] bad = [.. good];
            bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            if (!CouncilSnapshot.TryDecode(bad.AsSpan(0, i % 3 == 0 ? random.Next(bad.Length) : bad.Length), out _)) refused++;
        }
        Assert.InRange(refused, 1000, 3000);
    }

    private sealed class Segment
    {
        public required SegmentResult Result;
        public long Size;
        public SortedSet<long> Held = [];
        public SessionId Writer;
    }

    /// <summary>The model: what was granted, extent by extent.</summary>
    private sealed class Run(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly List<SessionId> _sessions = [];
        private readonly List<SessionId> _ended = [];
        private readonly List<Segment> _segments = [];
        private readonly string[] _names = ["alpha", "beta", "gamma"];

        public CouncilBench Council { get; } = new(16);

        public void Steps(int count)
        {
            for (int i = 0; i < count; i++)
            {
                ClusterView before = Council.View;
                Step();
                CheckDrops();
                Council.Machine.Verify();
                CheckLedger();
                CheckShards(before, Council.View);
            }
        }

        private void Step()
        {
            switch (_random.Next(16))
            {
                case 12: Doubt(); break;
                case 13 or 14: CatchUp(); break;
                case 15 when _random.Next(4) == 0: Council.Say(new Configure((byte)(1 + _random.Next(3)))); break;
                case 0: Council.Join($"silo{_random.Next(4)}", _random.Next(5) * 8 * Extent); break;
                case 1 when _random.Next(3) == 0: Leave(); break;
                case 2: _sessions.Add(Council.Session()); break;
                case 3 when _sessions.Count > 0: EndSession(); break;
                case 4 or 5: Allocate(); break;
                case 6: Open(); break;
                case 7 or 8: Resize(); break;
                case 9: ChargeExtents(); break;
                case 10: Free(); break;
                default: Confirm(); break;
            }
        }

        private SessionId AnySession()
        {
            if (_sessions.Count == 0) _sessions.Add(Council.Session());
            return _sessions[_random.Next(_sessions.Count)];
        }

        private Segment? AnySegment() => _segments.Count == 0 ? null : _segments[_random.Next(_segments.Count)];

        private long Size() => 1 + (_random.NextInt64(6 * Extent) >> _random.Next(20));

        private void Leave()
        {
            Member[] up = [.. Council.View.Members.Where(static member => member.State != MemberState.Left)];
            if (up.Length > 0) Council.Say(new Leave(up[_random.Next(up.Length)].Id, up[0].Incarnation));
        }

        private SiloSet Named()
        {
            ushort first = (ushort)(1 + _random.Next(4));
            return _random.Next(2) == 0 ? new SiloId(first) : new SiloSet(new SiloId(first), new SiloId((ushort)((first % 4) + 1)));
        }

        private void Doubt()
        {
            if (Council.View.Members.Count == 0) return;
            Member silo = Council.View.Members[_random.Next(Council.View.Members.Count)];
            Command said = _random.Next(5) switch
            {
                0 or 1 => new Suspect(silo.Id, silo.Incarnation),
                2 or 3 => new Resume(silo.Id, silo.Incarnation),
                _ => new Drain(silo.Id, _random.Next(3) != 0),
            };
            Council.Say(said);
        }

        private void CatchUp()
        {
            for (int i = 0; i < Council.View.Shards.Count; i++)
            {
                ShardView shard = Council.View.Shards[i];
                foreach (Replica replica in shard.Replicas)
                {
                    if (replica.State != ReplicaState.Learning || _random.Next(2) == 0) continue;
                    // Of an epoch gone by it is worth nothing.
                    Council.Say(new CaughtUp(replica.Silo, replica.Incarnation, new ShardId((ushort)i), shard.Epoch - 1));
                    Assert.Same(shard, Council.View.Shards[i]);
                    Council.Say(new CaughtUp(replica.Silo, replica.Incarnation, new ShardId((ushort)i), shard.Epoch));
                }
            }
        }

        private void EndSession()
        {
            SessionId session = AnySession();
            Assert.Equal(RumError.None, Council.Say(_random.Next(2) == 0 ? new CloseSession(session) : new Expire(session, 1)).Error);
            _sessions.Remove(session);
            _ended.Add(session);
            _segments.RemoveAll(segment => segment.Result.Key == 0 && segment.Writer == session);
            foreach (Segment segment in _segments.Where(segment => segment.Writer == session)) segment.Writer = default;
            Assert.Equal(RumError.SessionExpired, Council.TryAllocate(session, 1, out _));
        }

        private void Allocate()
        {
            SessionId session = AnySession();
            string name = _random.Next(2) == 0 ? "" : _names[_random.Next(_names.Length)];
            SegmentFlags flags = _random.Next(5) == 0 ? SegmentFlags.Sparse : 0;
            SiloSet silo = _random.Next(5) == 0 ? Named() : default;
            if (_random.Next(4) == 0) flags |= SegmentFlags.Racks;
            long size = Size();
            UInt128 key = name.Length == 0 ? 0 : SegmentKey.FromName(name).Value;
            Result result = Council.Say(new Allocate(session, key, size, (byte)(silo.Count > 0 ? 0 : _random.Next(4)), flags, silo));
            bool exists = key != 0 && _segments.Any(segment => segment.Result.Key == key);
            if (exists && result.Error is not (RumError.UnknownSilo or RumError.InvalidArgument)) Assert.Equal(RumError.AlreadyExists, result.Error);
            if (result is not SegmentResult made) return;
            Assert.False(exists);
            var created = new Segment { Result = made, Size = size, Writer = session };
            for (long extent = 0; extent < Layout.ExtentsFor(size); extent++) created.Held.Add(extent);
            _segments.Add(created);
        }

        private void Open()
        {
            SessionId session = AnySession();
            string name = _names[_random.Next(_names.Length)];
            var mode = (OpenMode)_random.Next(3);
            Result result = Council.Open(session, name, mode);
            Segment? segment = _segments.Find(candidate => candidate.Result.Key == SegmentKey.FromName(name).Value);
            if (segment is null) { Assert.Equal(RumError.NotFound, result.Error); return; }
            bool busy = segment.Writer.Value != 0 && segment.Writer != session;
            if (mode == OpenMode.Write && busy) { Assert.Equal(RumError.SegmentBusy, result.Error); return; }
            var opened = Assert.IsType<SegmentResult>(result);
            Assert.Equal(mode != OpenMode.Read && !busy, opened.Token != 0);
            if (opened.Token != 0) segment.Writer = session;
            if (_random.Next(2) == 0) return;
            Council.Say(new Close(session, segment.Result.Segment));
            if (segment.Writer == session) segment.Writer = default;
        }

        private void Resize()
        {
            if (AnySegment() is not { } segment) return;
            SessionId session = segment.Writer.Value != 0 ? segment.Writer : AnySession();
            long size = Size();
            Result result = Council.Say(new Resize(session, segment.Result.Segment, size));
            if (segment.Writer.Value == 0) Assert.Equal(RumError.ReadOnly, result.Error);
            if (result.Error != RumError.None) return;
            long oldPages = Layout.PagesFor(segment.Size), newPages = Layout.PagesFor(size);
            for (long extent = Layout.ExtentOfPage(oldPages); newPages > oldPages && extent < Layout.ExtentsFor(size); extent++) segment.Held.Add(extent);
            segment.Held.RemoveWhere(extent => extent >= Layout.ExtentsFor(size));
            segment.Size = size;
        }

        private void ChargeExtents()
        {
            if (AnySegment() is not { } segment || segment.Writer.Value == 0) return;
            int first = _random.Next(6), count = 1 + _random.Next(4);
            bool charged = _random.Next(2) == 0;
            Result result = Council.Say(new ChargeExtents(segment.Writer, segment.Result.Segment, first, count, charged));
            Assert.Equal(first + count > Layout.ExtentsFor(segment.Size), result.Error == RumError.InvalidArgument);
            for (long extent = first; result.Error == RumError.None && extent < first + count; extent++)
            {
                if (charged) segment.Held.Add(extent);
                else segment.Held.Remove(extent);
            }
        }

        private void Free()
        {
            if (AnySegment() is not { } segment) return;
            SessionId session = _random.Next(2) == 0 && segment.Writer.Value != 0 ? segment.Writer : AnySession();
            Result result = Council.Say(new Free(session, segment.Result.Segment, 0));
            bool mine = segment.Writer == session || (segment.Writer.Value == 0 && segment.Result.Key != 0);
            Assert.Equal(mine, result.Error == RumError.None);
            if (mine) _segments.Remove(segment);
        }

        private void Confirm()
        {
            foreach (Member member in Council.View.Members.Where(static member => member.State != MemberState.Left))
            {
                IReadOnlyList<Drop> drops = Council.Drops(member.Id);
                if (drops.Count > 0) Council.Say(new Dropped(member.Id, member.Incarnation, drops[_random.Next(drops.Count)].Sequence));
            }
        }

        private void CheckLedger()
        {
            var expected = new Dictionary<SiloId, long>();
            foreach (Segment segment in _segments)
            {
                foreach (long extent in segment.Held)
                {
                    bool pinned = (segment.Result.Flags & SegmentFlags.Pinned) != 0;
                    int first = segment.Result.FirstShard.Value;
                    int index = pinned ? first : (first / 16 * 16) + (int)(((first % 16) + extent) % 16);
                    ShardView shard = Council.View.Shards[index];
                    Assert.NotEqual(ShardState.Unassigned, shard.State);
                    if (shard.State == ShardState.Lost || (segment.Result.Flags & SegmentFlags.Sparse) != 0) continue;
                    long end = Math.Min(Layout.PagesFor(segment.Size) * Layout.PageSize, (extent + 1) * Extent);
                    foreach (Replica replica in shard.Replicas)
                        expected[replica.Silo] = expected.GetValueOrDefault(replica.Silo) + end - (extent * Extent);
                }
            }
            foreach (MemberStatus silo in Council.Status.Members)
            {
                Assert.Equal(expected.GetValueOrDefault(silo.Member.Id), silo.Charged - silo.ToDrop);
                Assert.True(silo.Charged <= silo.Member.Capacity);
                if (silo.Member.State != MemberState.Left) Assert.Equal(silo.ToDrop, Council.Drops(silo.Member.Id).Sum(static drop => drop.Bytes));
            }
        }

        // A drop that waits covers no page that may hold data again.
        private void CheckDrops()
        {
            foreach (Member member in Council.View.Members.Where(static member => member.State != MemberState.Left))
            {
                foreach (Drop drop in Council.Drops(member.Id))
                {
                    Segment? segment = _segments.Find(candidate => candidate.Result.Segment == drop.Segment);
                    Assert.True(segment is null || !drop.Freed);
                    if (segment is null) continue;
                    for (long page = drop.FirstPage; page < Math.Min(drop.FirstPage + drop.PageCount, Layout.PagesFor(segment.Size)); page++)
                    {
                        Assert.DoesNotContain(Layout.ExtentOfPage(page), segment.Held);
                        page |= Layout.PagesPerExtent - 1;
                    }
                }
            }
        }

        // A replica changes only with its epoch; a view that differs has a newer decree.
        private void CheckShards(ClusterView before, ClusterView after)
        {
            Assert.True(after.Decree > before.Decree || ReferenceEquals(before, after));
            for (int i = 0; i < before.Shards.Count; i++)
            {
                ShardView old = before.Shards[i], now = after.Shards[i];
                CheckReplicas(i, old, now);
                bool same = old.State == now.State && old.Replicas.SequenceEqual(now.Replicas);
                Assert.True(same ? now.Epoch >= old.Epoch : now.Epoch > old.Epoch);
            }
        }

        // Of a shard that holds extents nobody is in sync who wasn't a replica before, and none is Lost while one in sync lives.
        private void CheckReplicas(int index, ShardView old, ShardView now)
        {
            if (ReferenceEquals(old, now) || old.State != ShardState.Served || !Holds(index)) return;
            if (now.State == ShardState.Served)
            {
                foreach (Replica replica in now.Replicas)
                    Assert.True(replica.State == ReplicaState.Learning || old.Replicas.Any(earlier => earlier.Incarnation == replica.Incarnation));
                return;
            }
            Assert.Equal(ShardState.Lost, now.State);
            foreach (Replica replica in old.Replicas)
            {
                Assert.True(replica.State == ReplicaState.Learning
                    || !Council.View.Members.Any(member => member.State != MemberState.Left && member.Incarnation == replica.Incarnation));
            }
        }

        private bool Holds(int index) => _segments.Any(segment => segment.Held.Any(extent =>
            SegmentLayout.ShardOf(segment.Result.FirstShard, segment.Result.Flags, extent, 16).Value == index));
    }
}
