using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Linux;

namespace Rum.Pager.Session;

// The control thread. Everything here runs on it, or before it starts, or after it ended.
internal sealed partial class CouncilSession
{
    private long _nextBeatNs;

    // A newer view than the one in use was heard of; asked for again so soon when who was asked had not heard of it.
    private const int BehindPauseMs = 1;

    private bool Behind => Volatile.Read(ref _viewDecree) > _view.Decree;

    private long BeatNs => _leaseMs * 1_000_000L / 3;

    private void Loop()
    {
        _nextBeatNs = MonotonicClock.NowNs + BeatNs;
        while (!_stopping && !_ended)
        {
            long wait = _nextBeatNs - MonotonicClock.NowNs;
            if (!_viewIsStale && wait > 0) _wake.WaitOne((int)Math.Min(Behind ? BehindPauseMs : wait / 1_000_000 + 1, int.MaxValue));
            Upkeep();
        }
    }

    /// <summary>What is due.</summary>
    private void Upkeep()
    {
        if (MonotonicClock.NowNs >= _nextBeatNs)
        {
            _nextBeatNs = MonotonicClock.NowNs + BeatNs;
            TryAsk(new Heartbeat(Session), CallTimeout);
            if (_routesBroken()) _viewChanged(_view);
        }
        if (_ended || _stopping || !(_viewIsStale || Behind)) return;
        _viewIsStale = false;
        ClusterView before = _view;
        if (!TryFetchView(CallTimeout))
        {
            // Who said so doesn't say it again: a write that waits for a silo that is gone is silent.
            _viewIsStale |= !_incompatible;
            return;
        }
        // The same view, and yet a way is broken: the silo hung up on us, or was not ready for us. Each report tries again.
        if (ReferenceEquals(before, _view) && _routesBroken()) _viewChanged(_view);
    }

    // Short enough that the next heartbeat isn't late while a council is away.
    private TimeSpan CallTimeout => TimeSpan.FromMilliseconds(Math.Clamp(_leaseMs / 6, 20, CallTimeoutMax.TotalMilliseconds));

    private void FetchView(TimeSpan patience)
    {
        if (!TryFetchView(patience)) throw NoAnswer(_incompatible);
    }

    private bool TryFetchView(TimeSpan timeout)
    {
        CouncilAnswer? answer = TryAsk(new GetView(_view.Decree, Session), timeout);
        if (answer is null) return false;
        if (answer.Error is not RumError.None and not RumError.SessionExpired && Session.Value == 0) throw new RumException(answer.Error, answer.Message);
        if (answer is ViewAnswer { View: { } view } && view.Decree > _view.Decree)
        {
            // From here on silos of other clusters refuse this session, and it takes no answer from them.
            _client.Generation = _generation = view.FrameGeneration;
            Volatile.Write(ref _view, view);
            _viewChanged(view);
            lock (_viewDoor)
            {
                _routedDecree = view.Decree;
                Monitor.PulseAll(_viewDoor);
            }
        }
        return true;
    }

    /// <summary>One question; null: no answer that can be read came in time.</summary>
    private CouncilAnswer? TryAsk(CouncilRequest request, TimeSpan timeout)
    {
        CouncilAnswer? answer = _line.Ask(Session, request, timeout, default, out _incompatible);
        if (answer is not null) Hear(answer);
        return answer;
    }
}
