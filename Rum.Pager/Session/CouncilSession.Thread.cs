using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.FastPath.Client;
using Rum.FastPath.Linux;

namespace Rum.Pager.Session;

// The control thread. Everything here runs on it, or before it starts, or after it ended.
internal sealed partial class CouncilSession
{
    private long _nextBeatNs;

    private long BeatNs => _leaseMs * 1_000_000L / 3;

    private void Loop()
    {
        _nextBeatNs = MonotonicClock.NowNs + BeatNs;
        while (!_stopping && !_ended)
        {
            long wait = _nextBeatNs - MonotonicClock.NowNs;
            if (_errands.IsEmpty && !_viewIsStale && wait > 0) _wake.WaitOne((int)Math.Min(wait / 1_000_000 + 1, int.MaxValue));
            Upkeep();
            if (!_stopping && !_ended && _errands.TryDequeue(out Errand? errand)) Carry(errand);
        }
        while (_ended && _errands.TryDequeue(out Errand? errand)) errand.Fail(Ended());
    }

    /// <summary>What is due besides errands; also called between the attempts of a long one.</summary>
    private void Upkeep()
    {
        if (MonotonicClock.NowNs >= _nextBeatNs)
        {
            _nextBeatNs = MonotonicClock.NowNs + BeatNs;
            TryAsk(new Heartbeat(Session), CallTimeout);
            if (_routesBroken()) _viewChanged(_view);
        }
        if (_ended || !(_viewIsStale || _viewDecree > _view.Decree)) return;
        _viewIsStale = false;
        ClusterView before = _view;
        TryFetchView(CallTimeout);
        // The same view, and yet a way is broken: the silo hung up on us, or was not ready for us. Each report tries again.
        if (ReferenceEquals(before, _view) && _routesBroken()) _viewChanged(_view);
    }

    // Short enough that the next heartbeat isn't late while a council is away.
    private TimeSpan CallTimeout => TimeSpan.FromMilliseconds(Math.Clamp(_leaseMs / 6, 20, CallTimeoutMax.TotalMilliseconds));

    private void Carry(Errand errand)
    {
        // One id for all attempts: it is carried out once, however often it is sent.
        var request = new CommandRequest(NextId(), errand.Command);
        long end = MonotonicClock.NowNs + (long)Patience.TotalNanoseconds;
        while (true)
        {
            CouncilAnswer? answer = TryAsk(request, CallTimeout);
            if (_ended) errand.Fail(Ended());
            else if (answer is CommandAnswer decided)
            {
                // What was allocated may stand on shards that have moved since the view in use: by that one the pager would write to a silo which,
                // if it is as far behind, would take the page and lose it. So nobody hears of the result before the pager has the view.
                while (_viewDecree > _view.Decree && !_stopping && !_ended && MonotonicClock.NowNs < end) Upkeep();
                if (_viewDecree > _view.Decree) errand.Fail(_ended ? Ended() : NoAnswer());
                else errand.Succeed(decided.Result);
            }
            else if (answer is not null) errand.Fail(new RumException(answer.Error, answer.Message));
            else if (_stopping || MonotonicClock.NowNs >= end) errand.Fail(NoAnswer());
            else
            {
                Upkeep();
                continue;
            }
            return;
        }
    }

    private RequestId NextId() => new(Session, 0, ++_counter);

    private void FetchView(TimeSpan patience)
    {
        if (!TryFetchView(patience)) throw NoAnswer();
    }

    private bool TryFetchView(TimeSpan timeout)
    {
        CouncilAnswer? answer = TryAsk(new GetView(_view.Decree), timeout);
        if (answer is null) return false;
        if (answer.Error is not RumError.None and not RumError.SessionExpired && Session.Value == 0) throw new RumException(answer.Error, answer.Message);
        if (answer is ViewAnswer { View: { } view } && view.Decree > _view.Decree)
        {
            // From here on silos of other clusters refuse this session, and it takes no answer from them.
            _client.Generation = view.FrameGeneration;
            Volatile.Write(ref _view, view);
            _viewChanged(view);
        }
        return true;
    }

    private CouncilAnswer Ask(CouncilRequest request, TimeSpan timeout) => TryAsk(request, timeout) ?? throw NoAnswer();

    /// <summary>One question; null: no answer that can be read came in time.</summary>
    private CouncilAnswer? TryAsk(CouncilRequest request, TimeSpan timeout)
    {
        int length = RequestCodec.Encode(_buffer, request);
        Invariant.Check(length > 0);
        ControlReply reply = (request is CommandRequest && _commands is not null ? _commands : _client).Call(Session, _buffer.AsSpan(0, length), timeout);
        CouncilAnswer? answer = null;
        _incompatible = reply.Payload.Length == 0 ? reply.Error == RumError.Incompatible : !AnswerCodec.TryDecode(reply.Payload, out answer);
        if (answer is null) return null;
        if (answer.ViewDecree > _viewDecree) _viewDecree = answer.ViewDecree;
        if (answer.Error == RumError.SessionExpired) Expire(answer.Message);
        else if (answer is CommandAnswer { Result: { Error: RumError.SessionExpired } result }) Expire(result.Message);
        return answer;
    }

    private void Expire(string why)
    {
        if (_ended) return;
        if (why.Length > 0) EndedBecause = why;
        _ended = true;
        _expired();
    }

    private RumException NoAnswer() => _incompatible
        ? new(RumError.Incompatible, $"the silo at {_addresses} speaks another version of the protocol than this program; bring both to one version.")
        : new(
        RumError.Unavailable,
        $"no silo answers at {_addresses}. Is it running? 'rum silo run --dev' starts one on this machine; RUM_MACHINES or rum_init's argument names others.");

    /// <summary>A command on its way from an application thread to the control thread and back.</summary>
    private sealed class Errand(Command command)
    {
        private readonly ManualResetEventSlim _done = new();
        private Result? _result;
        private RumException? _failure;
        private int _settled;

        public Command Command => command;

        public void Succeed(Result result) => Settle(result, null);

        public void Fail(RumException failure) => Settle(null, failure);

        public Result Wait()
        {
            _done.Wait();
            return _result ?? throw _failure!;
        }

        private void Settle(Result? result, RumException? failure)
        {
            if (Interlocked.Exchange(ref _settled, 1) != 0) return;
            (_result, _failure) = (result, failure);
            _done.Set();
        }
    }
}
