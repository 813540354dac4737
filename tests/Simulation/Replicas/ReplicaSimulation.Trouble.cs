using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers.Simulated;
using Rum.Simulation.Client;

namespace Rum.Simulation.Replicas;

/// <content>What happens to the silos.</content>
internal sealed unsafe partial class ReplicaSimulation
{
    private void Trouble()
    {
        if (_random.Next(400) == 0) Succeed(_segments[_random.Next(_segments.Count)]);
        if (_random.Next(300) != 0) return;
        SimulatedSilo silo = _silos[_random.Next(_silos.Count)];
        Member? member = _council.Machine.View.Members.FirstOrDefault(m => m.Name == silo.Name);
        if (member is null) return;
        switch (_random.Next(14))
        {
            case < 4 when silo.Up && MayDie(silo.Life):
                silo.Kill();
                // Sooner or later than it is missed.
                long away = _random.Next(3) == 0 ? _random.Next(10_000, 3_000_000) : _random.Next(5_000_000, 400_000_000);
                _world.After(away, silo.Start);
                Incarnation life = silo.Life;
                _world.After(_random.Next(2_000_000, 60_000_000), () => Suspect(member.Id, life));
                break;
            case 4 when silo.Up:
                silo.PausedUntilNs = _world.NowNs + _random.Next(1_000_000, 80_000_000);
                break;
            case 5 or 6:
                // Wrongly, or of one that stands still.
                Suspect(member.Id, member.Incarnation);
                break;
            case 7 or 8:
                _council.Apply(default, new Resume(member.Id, member.Incarnation));
                break;
            case 9 when _random.Next(3) == 0 && _council.Machine.View.Members.Count(m => m.State == MemberState.Up) > _copies:
                _council.Apply(default, new Drain(member.Id, On: true));
                _world.After(_random.Next(5_000_000, 100_000_000), () => _council.Apply(default, new Drain(member.Id, On: false)));
                break;
            case 10 or 11:
                int from = _random.Next(_endpoints), to = _random.Next(_endpoints);
                if (from == to) break;
                _network.Block(from, to);
                _world.After(_random.Next(1_000_000, 60_000_000), () => _network.Unblock(from, to));
                break;
            case 12 or 13:
                // Cut off from the council, though clients reach it: sooner or later it is taken for dead.
                silo.DeafUntilNs = _world.NowNs + _random.Next(1_000_000, 100_000_000);
                if (_random.Next(2) == 0) _world.After(_random.Next(1_000_000, 20_000_000), () => Suspect(member.Id, member.Incarnation));
                break;
        }
    }

    // One that lives isn't suspected while those that would remain are dead: what is lost then is lost by right.
    private void Suspect(SiloId silo, Incarnation life)
    {
        if (!_silos.Exists(it => it.Up && it.Life == life) || MayDie(life)) _council.Apply(default, new Suspect(silo, life));
    }

    // Nor does the last one in sync that lives die.
    private bool MayDie(Incarnation life)
    {
        foreach (ShardView shard in _council.Machine.View.Shards.Skip(RingShards))
        {
            if (shard.State != ShardState.Served || !shard.Replicas.Any(r => r.Incarnation == life && r.State == ReplicaState.InSync)) continue;
            if (!shard.Replicas.Any(r => r.Incarnation != life && r.State == ReplicaState.InSync && _silos.Exists(other => other.Up && other.Life == r.Incarnation))) return false;
        }
        return true;
    }

    private void BeCalm()
    {
        _calm = true;
        for (int from = 0; from < _endpoints; from++)
        {
            for (int to = 0; to < _endpoints; to++)
                if (from != to) _network.SetLink(from, to, LinkSettings.Perfect);
        }
        foreach (SimulatedSilo silo in _silos) silo.PausedUntilNs = silo.DeafUntilNs = 0;
    }

    /// <summary>Has all silos back, and waits until every shard has its copies in sync.</summary>
    private void Settle()
    {
        long limit = _network.NowNs + 20_000_000_000;
        while (true)
        {
            bool back = true;
            foreach (SimulatedSilo silo in _silos)
            {
                Member? member = _council.Machine.View.Members.FirstOrDefault(m => m.Name == silo.Name);
                back &= silo.Up && member!.Incarnation == silo.Life && member.State == MemberState.Up;
                if (member!.State is MemberState.Silent && silo.Up && member.Incarnation == silo.Life) _council.Apply(default, new Resume(member.Id, member.Incarnation));
                if (member.State is MemberState.Draining) _council.Apply(default, new Drain(member.Id, On: false));
                if (member.State is MemberState.Left && silo.Up && member.Incarnation == silo.Life)
                {
                    silo.Kill();
                    silo.Start();
                }
            }
            var status = ((StatusAnswer)_council.Machine.Query(new Describe())).Status;
            if (back && status.Learning == 0 && status.Incomplete == 0 && status.Members.All(m => m.ToDrop == 0)) return;
            if (_network.NowNs > limit) throw new Pages.SimulationException($"does not heal: {Shards()}; {status.Learning} learning, {status.Incomplete} incomplete");
            Step();
        }
    }
}
