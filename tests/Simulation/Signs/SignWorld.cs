using Rum.Core;
using Rum.Core.Sessions;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Signs;

/// <summary>What is wrong on purpose about the observer, to see that the checkers notice.</summary>
internal enum BrokenObserver
{
    None,
    CountsItsOwnSleep,
    BelievesThePageThreadAlone,
    BelievesTheControlPlaneAlone,
    MixesUpLives,
    BelievesWhoeverDoubts,
}

/// <summary>
/// Silos that give signs of life over a bad network to an observer that is often kept from listening, as on a machine without a free core. Milliseconds, deterministic
/// from a seed. Throws when a living silo is taken for silent, or a dead one isn't in time.
/// </summary>
internal sealed class SignWorld
{
    private const long Ms = 1_000_000;
    private const int Silos = 5;

    // What a busy machine and a bad network may do to a silo that must not be missed for it; what they may add to the time in which a dead one is missed.
    private const int StallMsMax = 300, DelayMsMax = 100, SlackMs = 900;

    private readonly Random _random;
    private readonly BrokenObserver _broken;
    private readonly SilenceOptions _options = new();
    private readonly ObservedClock _clock = new();
    private readonly SilenceTable _table;
    private readonly List<SiloId> _silent = [];
    private readonly Silo[] _silos = new Silo[Silos];
    private readonly PriorityQueue<Action, (long At, int Order)> _wire = new();
    private ulong _lives;
    private int _order;
    private long _nowMs, _pagesBackMs, _councilBackMs, _awakeMs, _looksAtMs;

    public SignWorld(int seed, BrokenObserver broken = BrokenObserver.None)
    {
        _random = new Random(seed);
        _broken = broken;
        _table = new SilenceTable(_options);
        for (ushort i = 0; i < Silos; i++)
        {
            _silos[i] = new Silo(new SiloId((ushort)(i + 1)));
            Begin(_silos[i]);
        }
    }

    public int Faults { get; private set; }

    public int Doubts { get; private set; }

    public int Noticed { get; private set; }

    private long ObservedNs => _broken == BrokenObserver.CountsItsOwnSleep ? _nowMs * Ms : _clock.NowNs;

    public void Run(long untilMs)
    {
        for (; _nowMs < untilMs; _nowMs++)
        {
            foreach (Silo silo in _silos) Live(silo);
            // Two silos are left in peace for the whole run: nobody may ever miss them.
            if (_random.Next(5000) == 0) Fault(_silos[_random.Next(2, Silos)]);
            // Others may doubt anybody, rightly or not.
            if (_random.Next(2000) == 0) Doubt(_silos[_random.Next(Silos)]);
            if (_random.Next(10_000) == 0) _pagesBackMs = _nowMs + _random.Next(50, 8000);
            if (_random.Next(10_000) == 0) _councilBackMs = _nowMs + _random.Next(50, 3000);
            // The thread that listens and the one that judges stand still each by itself.
            if (_nowMs >= _pagesBackMs) Listen();
            if (_nowMs < _councilBackMs) continue;
            _table.Notice(ObservedNs, _silent);
            Noticed += _silent.Count;
            if (_nowMs < _pagesBackMs) CheckNobodyLivingIsSilent();
            else Check();
        }
    }

    private void Begin(Silo silo)
    {
        silo.Life = new Incarnation(++_lives);
        silo.State = State.Living;
        silo.SinceAwakeMs = _awakeMs;
        silo.SignAtMs = silo.BeatAtMs = _nowMs;
        silo.Progress = 0;
        // The join is a decree: the leader knows of it at once.
        _table.Expect(silo.Id, silo.Life, ObservedNs);
    }

    private void Doubt(Silo silo)
    {
        Doubts++;
        if (_broken == BrokenObserver.BelievesWhoeverDoubts) _table.Doubt(silo.Id, silo.Life, ObservedNs);
        else _table.Probe(silo.Id, silo.Life, ObservedNs);
    }

    private void Fault(Silo silo)
    {
        Faults++;
        if (silo.State != State.Living)
        {
            // Ended processes start anew; stopped ones go on, sometimes beside the one that has taken their place.
            if (silo.State == State.Paused && _random.Next(2) == 0) silo.Ghost = silo.Life;
            if (silo.State is State.Dead or State.Paused && (silo.Ghost == silo.Life || silo.State == State.Dead)) Begin(silo);
            else Recover(silo);
            return;
        }
        silo.State = _random.Next(5) switch { 0 => State.Dead, 1 => State.Paused, 2 => State.ControlHangs, 3 => State.PagesHang, _ => State.CutOff };
        silo.SinceAwakeMs = _awakeMs;
    }

    private void Recover(Silo silo)
    {
        silo.State = State.Living;
        silo.SinceAwakeMs = _awakeMs;
        silo.SignAtMs = silo.BeatAtMs = _nowMs;
    }

    private void Live(Silo silo)
    {
        if (silo.SignAtMs <= _nowMs)
        {
            silo.SignAtMs = _nowMs + 100 + (_random.Next(10) == 0 ? _random.Next(StallMsMax) : 0);
            if (silo.State is State.Living or State.ControlHangs) Send(new SiloSign(silo.Id, silo.Life, silo.Progress));
            if (silo.Ghost.Value != 0 && silo.Ghost != silo.Life) Send(new SiloSign(silo.Id, silo.Ghost, 1_000_000 + (ulong)_nowMs));
        }
        if (silo.BeatAtMs > _nowMs) return;
        silo.BeatAtMs = _nowMs + 200 + _random.Next(StallMsMax);
        if (silo.State is not (State.Living or State.PagesHang)) return;
        silo.Progress++;
        Incarnation life = silo.Life;
        Later(() =>
        {
            // The council answers a life that was replaced with StaleView, and hears nothing of it.
            if (silo.Life != life) return;
            if (_broken == BrokenObserver.BelievesTheControlPlaneAlone) _table.HearSign(new SiloSign(silo.Id, life, silo.Progress), ObservedNs);
            _table.HearControl(silo.Id, life, ObservedNs);
        });
    }

    private void Send(SiloSign sign)
    {
        if (_random.Next(50) == 0) return;
        Later(() =>
        {
            if (_broken == BrokenObserver.MixesUpLives) sign = sign with { Incarnation = _silos[sign.Silo.Value - 1].Life };
            if (_broken == BrokenObserver.BelievesThePageThreadAlone) sign = sign with { Progress = (ulong)_nowMs };
            _table.HearSign(sign, ObservedNs);
        });
    }

    private void Later(Action arrives) => _wire.Enqueue(arrives, (_nowMs + _random.Next(1, DelayMsMax), _order++));

    private void Listen()
    {
        if (_nowMs >= _councilBackMs) _awakeMs++;
        // What came while it stood still waits in the socket; whether it looks at that first or at its clock is chance.
        bool clockFirst = _random.Next(2) == 0;
        if (clockFirst) Look();
        while (_wire.TryPeek(out Action? arrives, out (long At, int) due) && due.At <= _nowMs)
        {
            _wire.Dequeue();
            arrives();
        }
        if (!clockFirst) Look();
    }

    private void Look()
    {
        if (_nowMs < _looksAtMs) return;
        _looksAtMs = _nowMs + (ObservedClock.LookNs / Ms);
        _clock.Look(_nowMs * Ms);
    }

    private void CheckNobodyLivingIsSilent()
    {
        foreach (Silo silo in _silos)
        {
            if (silo.Id.Value <= 2 && _table.IsSilent(silo.Id)) throw new SimulationException($"at {_nowMs} ms {silo.Id} lives, and was taken for silent");
        }
    }

    private void Check()
    {
        CheckNobodyLivingIsSilent();
        foreach (Silo silo in _silos)
        {
            long sinceMs = _awakeMs - silo.SinceAwakeMs;
            bool silent = _table.IsSilent(silo.Id);
            long boundMs = SlackMs + (silo.State == State.ControlHangs ? _options.HungNs / Ms : _options.JoiningNs / Ms);
            if (silo.State == State.Living)
            {
                // However often it lapsed, it is readmitted a minute later at most.
                if (silent && sinceMs > SlackMs + 60_000) throw new SimulationException($"at {_nowMs} ms {silo.Id} has lived for {sinceMs} ms, and is still silent");
            }
            else if (!silent && sinceMs > boundMs + (_options.SuspectNs / Ms))
            {
                throw new SimulationException($"at {_nowMs} ms {silo.Id} has been {silo.State} for {sinceMs} ms, and nobody misses it");
            }
        }
    }

    private enum State
    {
        Living,
        Dead,
        Paused,
        ControlHangs,
        PagesHang,
        CutOff,
    }

    private sealed class Silo(SiloId id)
    {
        public SiloId Id { get; } = id;

        public Incarnation Life { get; set; }

        /// <summary>An earlier life that was stopped, was replaced, and goes on all the same.</summary>
        public Incarnation Ghost { get; set; }

        public State State { get; set; }

        public ulong Progress { get; set; }

        public long SinceAwakeMs { get; set; }

        public long SignAtMs { get; set; }

        public long BeatAtMs { get; set; }
    }
}
