using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Linux;

namespace Rum.Pager.Session;

// Commands: everything here runs on the threads that ask.
internal sealed partial class CouncilSession
{
    /// <inheritdoc/>
    public Result Execute(Command command)
    {
        long end = MonotonicClock.NowNs + (long)PendingPatience.TotalNanoseconds;
        while (true)
        {
            Result result = Carry(command);
            if (result.Error != RumError.Pending) return result;
            if (MonotonicClock.NowNs >= end) return result with { Error = RumError.OutOfMemory };
            Thread.Sleep(PendingPause);
        }
    }

    private Result Carry(Command command)
    {
        while (true)
        {
            CommandLines.Line line = _lines.Take(Session, out RequestId id, out bool settles) ?? throw Ended();
            CommandAnswer? answer = null;
            try
            {
                // Nothing can be decided in a slot behind this, which is refused by every council and changes nothing.
                answer = Ask(line, id, settles ? new Allocate(Session, UInt128.Zero, 0, 0, SegmentFlags.None, default) : command);
            }
            finally
            {
                _lines.Give(id, answered: answer is not null);
            }
            if (settles) continue;
            // What was allocated may stand on shards that have moved since the view in use: by that one the pager would write to a silo which,
            // if it is as far behind, would take the page and lose it. So nobody hears of the result before the pager has the view.
            AwaitView(answer.ViewDecree);
            return answer.Result;
        }
    }

    private CommandAnswer Ask(CommandLines.Line line, RequestId id, Command command)
    {
        line.Client.Generation = _generation;
        CouncilAnswer? answer = line.Ask(Session, new CommandRequest(id, command), Patience, _over.Token, out bool incompatible);
        // The session's end was asked for: what became of its commands is nobody's concern.
        if (_stopping) throw Ended();
        if (answer is not null) Hear(answer);
        if (_ended) throw Ended();
        if (answer is CommandAnswer decided) return decided;
        throw answer is null ? NoAnswer(incompatible) : new RumException(answer.Error, answer.Message);
    }

    /// <summary>Asks what needs no request id, while the control thread doesn't run.</summary>
    private CouncilAnswer? AskOnce(Command command, TimeSpan patience)
    {
        var request = new CommandRequest(default, command);
        if (_gateway is null) return TryAsk(request, patience);
        using ControlClient client = _gateway();
        client.Generation = _generation;
        CouncilAnswer? answer = new CommandLines.Line(client).Ask(Session, request, patience, default, out _incompatible);
        if (answer is not null) Hear(answer);
        return answer;
    }

    private void AwaitView(ulong decree)
    {
        long end = MonotonicClock.NowNs + (long)Patience.TotalNanoseconds;
        lock (_viewDoor)
        {
            while (_routedDecree < decree)
            {
                if (_ended || _stopping) throw Ended();
                if (MonotonicClock.NowNs >= end) throw NoAnswer(incompatible: false);
                Monitor.Wait(_viewDoor, CallTimeoutMax);
            }
        }
    }

    /// <summary>What any answer says besides what was asked.</summary>
    private void Hear(CouncilAnswer answer)
    {
        ulong known = Volatile.Read(ref _viewDecree);
        while (answer.ViewDecree > known)
        {
            ulong found = Interlocked.CompareExchange(ref _viewDecree, answer.ViewDecree, known);
            if (found == known)
            {
                _wake.Set();
                break;
            }
            known = found;
        }
        if (answer.Error == RumError.SessionExpired) Expire(answer.Message);
        else if (answer is CommandAnswer { Result: { Error: RumError.SessionExpired } result }) Expire(result.Message);
    }

    private void Expire(string why)
    {
        if (Interlocked.Exchange(ref _expiring, 1) != 0) return;
        if (why.Length > 0) EndedBecause = why;
        _ended = true;
        _expired();
        GiveUp();
        _wake.Set();
    }

    private RumException NoAnswer(bool incompatible) => incompatible
        ? new(RumError.Incompatible, $"the silo at {_addresses} speaks another version of the protocol than this program; bring both to one version.")
        : new(
        RumError.Unavailable,
        $"no silo answers at {_addresses}. Is it running? 'rum silo run --dev' starts one on this machine; RUM_MACHINES or rum_init's argument names others.");
}
