namespace Rum.Core.Council;

// Who is who: joins, restarts, leaves.
public sealed partial class CouncilMachine
{
    private Result Execute(Join join)
    {
        Member silo = join.Silo with { State = MemberState.Up };
        if (silo.Name.Length == 0) silo = silo with { Name = silo.Endpoint };
        if (silo.Incarnation.Value == 0 || silo.Endpoint.Length == 0 || silo.Capacity < 0)
        {
            return JoinRefused(RumError.InvalidArgument, $"silo '{silo.Name}' must give a non-zero incarnation, its endpoint and a capacity of 0 or more.");
        }
        string[] names = [silo.Name, silo.Endpoint, silo.Http, silo.SharedMemory, silo.HostId, silo.Mac, silo.Label];
        if (names.Any(static name => name.Length > NameMax))
        {
            return JoinRefused(RumError.InvalidArgument, $"a silo's name, addresses and labels have at most {NameMax} characters each.");
        }

        SiloRecord? known = FindSilo(silo.Name);
        if (known is not null && known.Member.Incarnation == silo.Incarnation)
        {
            if (known.Up) return new JoinResult(RumError.None, "", Decree, known.Member.Id);
            return JoinRefused(RumError.StaleView, $"this life of silo '{silo.Name}' has left the cluster; restart the silo.");
        }
        if (known is not null && known.PastLives.Contains(silo.Incarnation))
        {
            return JoinRefused(RumError.StaleView, $"this life of silo '{silo.Name}' was replaced by a later one; stop it, or restart it.");
        }
        if (known is null && _nextSilo == ushort.MaxValue) return JoinRefused(RumError.InvalidArgument, "the cluster has used up its 65,534 silo numbers.");

        // One endpoint is one process: whoever was known there before is no more.
        foreach (SiloRecord other in _silos.Values)
        {
            if (other != known && other.Up && other.Member.Endpoint == silo.Endpoint) End(other);
        }
        if (known is null)
        {
            known = new SiloRecord(silo with { Id = new SiloId(_nextSilo++) });
            _silos.Add(known.Member.Id.Value, known);
        }
        else
        {
            if (known.Up) End(known);
            if (known.PastLives.Count == SiloRecord.PastLivesMax) known.PastLives.RemoveAt(0);
            known.PastLives.Add(known.Member.Incarnation);
            known.Member = silo with { Id = known.Member.Id };
            // Until it offers its disk anew: it may have another one.
            if (!IsSeated(known)) known.Seat = 0;
        }
        MembersChanged();
        return new JoinResult(RumError.None, "", Decree, known.Member.Id);
    }

    private Result Execute(Leave leave)
    {
        if (!_silos.TryGetValue(leave.Silo.Value, out SiloRecord? silo)) return Refuse(RumError.UnknownSilo, $"{leave.Silo} is not a member of the cluster.");
        if (silo.Member.Incarnation != leave.Incarnation) return Refuse(RumError.StaleView, $"that life of silo {silo.Member.Name} was replaced already.");
        if (silo.Up)
        {
            End(silo);
            MembersChanged();
        }
        return Done();
    }

    private Result Execute(Suspect suspect)
    {
        if (FindLife(suspect.Silo, suspect.Incarnation) is not { } silo) return Refuse(RumError.StaleView, Replaced(suspect.Silo));
        if (silo.Member.State == MemberState.Silent) return Done();
        silo.Member = silo.Member with { State = MemberState.Silent };
        FailSnapshotsOf(silo);
        for (int i = 0; i < _shards.Count; i++) Withdraw(i, silo, ended: false);
        MembersChanged();
        return Done();
    }

    private Result Execute(Resume resume)
    {
        if (FindLife(resume.Silo, resume.Incarnation) is not { } silo) return Refuse(RumError.StaleView, Replaced(resume.Silo));
        if (silo.Member.State != MemberState.Silent) return Done();
        silo.Member = silo.Member with { State = MemberState.Up };
        MembersChanged();
        return Done();
    }

    private Result Execute(Drain drain)
    {
        if (!_silos.TryGetValue(drain.Silo.Value, out SiloRecord? silo) || !silo.Up) return Refuse(RumError.UnknownSilo, $"{drain.Silo} is not in the cluster now; rum status lists those that are.");
        if (drain.On && IsSeated(silo) && _council.Length == 1)
            return Refuse(RumError.InvalidArgument, $"silo {silo.Member.Name} is the council alone: start another silo with a data directory, and drain this one when the council has grown.");
        MemberState state = drain.On ? MemberState.Draining : MemberState.Up;
        if (silo.Member.State == state) return Done();
        silo.Member = silo.Member with { State = state };
        MembersChanged();
        LeaveWhenDrained();
        return Done();
    }

    private Result Execute(Configure configure)
    {
        if (configure.Copies is 0 or > SiloSet.Max) return Refuse(RumError.InvalidArgument, $"a page has 1 to {SiloSet.Max} copies; {configure.Copies} were asked for.");
        DefaultCopies = configure.Copies;
        return Done();
    }

    /// <summary>The silo's present life is over: what it held is gone, and so is what it had to drop.</summary>
    private void End(SiloRecord silo)
    {
        silo.Member = silo.Member with { State = MemberState.Left };
        for (int i = 0; i < _shards.Count; i++) Withdraw(i, silo, ended: true);
        FailSnapshotsOf(silo);
        silo.Charged = 0;
        ForgetDrops(silo);
        ViewChanged();
    }

    private SiloRecord? FindSilo(string name)
    {
        foreach (SiloRecord silo in _silos.Values)
        {
            if (silo.Member.Name == name) return silo;
        }
        return null;
    }

    private JoinResult JoinRefused(RumError error, string message) => new(error, message, Decree, default);
}
