using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;

namespace Rum.Simulation.Client;

/// <summary>The council: the real state machine and lease table, called directly; who calls pays the delays of the way.</summary>
internal sealed class SimulatedCouncil(World world, int ringShards)
{
    private readonly LeaseTable _leases = new();
    private readonly List<(SessionId Session, ulong Counter)> _due = [];
    private ulong _decree;

    public CouncilMachine Machine { get; } = new(Guid.Empty, 1, ringShards);

    /// <summary>Called after each decree.</summary>
    public Action? Decided { get; set; }

    /// <summary>Called when a lease has ended.</summary>
    public Action<SessionId>? Expired { get; set; }

    public long NextNs => _leases.NextDueNs();

    public Result Apply(RequestId id, Command command)
    {
        if (command.Speaker.Value != 0) _leases.Renew(command.Speaker, world.NowNs);
        Result result = Machine.Apply(++_decree, id, command);
        world.Note("council", command.GetType().Name + " by {0}: error {1}", (long)command.Speaker.Value, (long)result.Error);
        if (result is SessionResult { Error: RumError.None } opened) _leases.Grant(opened.Session, opened.LeaseMs * 1_000_000L, world.NowNs);
        if (command is CloseSession close) _leases.Remove(close.Session);
        Decided?.Invoke();
        return result;
    }

    public RumError Heartbeat(SessionId session)
    {
        _leases.Renew(session, world.NowNs);
        return Machine.Query(new Heartbeat(session)).Error;
    }

    public void ExpireDue()
    {
        if (_leases.NextDueNs() > world.NowNs) return;
        _leases.Due(world.NowNs, _due);
        foreach ((SessionId session, ulong counter) in _due.ToArray())
        {
            if (!_leases.IsDue(session, counter, world.NowNs)) continue;
            world.Note("council", "session {0} expires", (long)session.Value);
            Machine.Apply(++_decree, default, new Expire(session, counter));
            _leases.Remove(session);
            Expired?.Invoke(session);
            Decided?.Invoke();
        }
    }
}
