using Rum.Core;
using Rum.Core.Council;

namespace Rum.Tests.Unit.Core;

/// <summary>A council with a short way to say things to it.</summary>
internal sealed class CouncilBench(int ringShards = 64)
{
    public const long Extent = Layout.ExtentSize;

    public CouncilMachine Machine { get; set; } = new(new Guid("11111111-2222-3333-4444-555555555555"), 1, ringShards);

    public List<Proposal> Log { get; } = [];

    private ulong _incarnation = 100;
    private uint _counter;

    public ClusterView View => Machine.View;

    public Result Say(Command command) => Say(new RequestId(command.Speaker, 0, command.Speaker.Value == 0 ? 0 : ++_counter), command);

    public Result Say(RequestId id, Command command)
    {
        Log.Add(new Proposal(id, command));
        Result result = Machine.Apply(Machine.Decree + 1, id, command);
        Assert.True(result.Error == RumError.None == (result.Message.Length == 0), $"{result.Error}: '{result.Message}'");
        return result;
    }

    public static Member Silo(string name, ulong incarnation, long capacity) =>
        new(default, name, new Incarnation(incarnation), name + ":7400", "http://x", "/tmp/x", "host", "", "rack", capacity, false);

    /// <summary>Joins (again: restarts) a silo.</summary>
    public SiloId Join(string name, long capacity)
    {
        var result = Assert.IsType<JoinResult>(Say(new Join(Silo(name, ++_incarnation, capacity))));
        Assert.Equal(RumError.None, result.Error);
        return result.Silo;
    }

    public SessionId Session(string name = "client")
    {
        var result = Assert.IsType<SessionResult>(Say(new OpenSession((UInt128)(ulong)Log.Count + 1, "tenant", name, 0)));
        return result.Session;
    }

    public SegmentResult Allocate(SessionId session, long size, string name = "", SegmentFlags flags = 0, SiloId silo = default)
    {
        UInt128 key = name.Length == 0 ? UInt128.Zero : SegmentKey.FromName(name).Value;
        return Assert.IsType<SegmentResult>(Say(new Allocate(session, key, size, 1, flags, silo)));
    }

    public RumError TryAllocate(SessionId session, long size, out string message, string name = "", SegmentFlags flags = 0, SiloId silo = default)
    {
        UInt128 key = name.Length == 0 ? UInt128.Zero : SegmentKey.FromName(name).Value;
        Result result = Say(new Allocate(session, key, size, 1, flags, silo));
        message = result.Message;
        return result.Error;
    }

    public Result Open(SessionId session, string name, OpenMode mode) => Say(new Open(session, SegmentKey.FromName(name).Value, mode));

    public IReadOnlyList<Drop> Drops(SiloId silo, ulong after = 0) =>
        Assert.IsType<DropsAnswer>(Machine.Query(new GetDrops(silo, Life(silo), after))).Drops;

    public Incarnation Life(SiloId silo) => View.Members.Single(member => member.Id == silo).Incarnation;

    /// <summary>Every silo carries out and confirms all its drops.</summary>
    public void DropAll()
    {
        foreach (Member member in View.Members.Where(static member => member.State == MemberState.Up))
        {
            IReadOnlyList<Drop> drops = Drops(member.Id);
            if (drops.Count > 0) Assert.Equal(RumError.None, Say(new Dropped(member.Id, member.Incarnation, drops[^1].Sequence)).Error);
        }
    }

    public ClusterStatus Status => Assert.IsType<StatusAnswer>(Machine.Query(new Describe())).Status;

    public long Charged => Status.Members.Sum(static member => member.Charged);
}
