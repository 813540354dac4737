namespace Rum.Simulation.Paxos;

/// <content>What goes wrong.</content>
internal sealed partial class PaxosWorld
{
    // The newest council that any member knows, for choosing faults that leave the council a chance.
    private ulong[] _council;
    private ulong _councilSince;
    private ulong _wiped;
    private bool _changing;

    public int Faults { get; private set; }

    private void ScheduleFault(long untilNs)
    {
        long at = NowNs + Random.NextInt64(5_000_000, _hectic ? 60_000_000 : 300_000_000);
        if (at >= untilNs) return;
        At(at, () =>
        {
            Observe();
            Fault();
            ScheduleFault(untilNs);
        });
    }

    private void Observe()
    {
        foreach (SimulatedMember member in _members)
        {
            if (member.Ledger is not { } ledger || ledger.CouncilSince < _councilSince || ledger.Council.Count == 0) continue;
            _councilSince = ledger.CouncilSince;
            _council = [.. ledger.Council];
        }
        if (_wiped != 0 && !_council.Contains(_wiped)) _wiped = 0;
    }

    private void Fault()
    {
        Faults++;
        SimulatedMember any = _members[Random.Next(_members.Count)];
        SimulatedMember? leader = _members.Find(m => m.Core is { Ready: true });
        switch (Random.Next(18))
        {
            case 0 or 1 or 2:
                Restart(any, Random.NextInt64(100_000, 300_000_000));
                break;
            case 3 or 4 or 5:
                Cut(any.Seat, _members[Random.Next(_members.Count)].Seat, Random.NextInt64(10_000_000, 400_000_000), Random.Next(2) == 0);
                break;
            case 6:
                any.SlowNs = Random.NextInt64(1_000_000, 200_000_000);
                At(NowNs + 300_000_000, () => any.SlowNs = 0);
                break;
            case 7:
                if (leader is not null) Restart(leader, Random.NextInt64(100_000, 200_000_000));
                break;
            case 8:
                foreach (SimulatedMember member in _members) Restart(member, Random.NextInt64(1_000_000, 100_000_000));
                break;
            case 9:
                Wipe(any);
                break;
            case 10 or 11 or 12:
                Isolate(leader ?? any, Random.NextInt64(20_000_000, 300_000_000));
                break;
            case 13 or 14:
                (Random.Next(2) == 0 ? leader ?? any : any).Pause(Random.NextInt64(20_000_000, 300_000_000));
                break;
            case 15:
                Isolate(any, Random.NextInt64(20_000_000, 300_000_000));
                break;
            default:
                ChangeCouncil();
                break;
        }
    }

    private void Restart(SimulatedMember member, long afterNs)
    {
        if (!member.Alive) return;
        member.Crash();
        At(NowNs + afterNs, () =>
        {
            if (!member.Alive && _members.Contains(member)) member.Start();
        });
    }

    private void Cut(ulong from, ulong to, long forNs, bool both)
    {
        if (from == to || !_cut.Add((from, to))) return;
        At(NowNs + forNs, () => _cut.Remove((from, to)));
        if (both && _cut.Add((to, from))) At(NowNs + forNs, () => _cut.Remove((to, from)));
    }

    private void Isolate(SimulatedMember member, long forNs)
    {
        foreach (SimulatedMember other in _members) Cut(member.Seat, other.Seat, forNs, both: true);
    }

    /// <summary>A disk is gone. The process comes back, as somebody else; one at a time, and only where the others can still be a quorum that knows the council.</summary>
    private void Wipe(SimulatedMember member)
    {
        bool inCouncil = _council.Contains(member.Seat);
        int knowing = _members.Count(m => m.Seat != member.Seat && _council.Contains(m.Seat) && m.Disk.Read() is { State: not null } disk
            && (m.Ledger?.Decree ?? disk.Decree) >= _councilSince);
        // Who has just left may be the only one who knows the new council.
        if (knowing < (_council.Length / 2) + 1 || (inCouncil && _wiped != 0)) return;
        // A change of the council may be under way of which nobody knows yet. Votes for one lie on disks until their voters meet again, however long that takes; whom it would leave in charge must not be gone then.
        if (_changing || _members.Exists(m => m.Disk.Votes.Exists(ChangesCouncil))) return;
        member.Crash();
        if (Broken?.WipedVotes == true)
        {
            member.Disk = new SimulatedDisk(Ledger.Newborn(_founders));
            At(NowNs + 1_000_000, member.Start);
            return;
        }
        _members.Remove(member);
        if (inCouncil) _wiped = member.Seat;
        AddMember(null, _founders);
    }

    private bool ChangesCouncil(byte[] value) =>
        value.Length > 0 && Ledger.Decode(value).Exists(request => request.Client == 0 && request.Council.Length > 0 && request.Expected.SequenceEqual(_council));

    /// <summary>An operator's wish: another council, of silos that are up and follow closely.</summary>
    private void ChangeCouncil()
    {
        ulong[] ready = [.. _members.Where(m => m.Core is { Disowned: false } core && m.Ledger!.Council.Count > 0 && core.Chosen + 5 >= Chronicle.LastDecided).Select(m => m.Seat)];
        int[] sizes = [1, 3, 5];
        int size = sizes[Random.Next(3)];
        if (ready.Length < size || _changing) return;
        if (_wiped != 0 && size == 1) return;
        Random.Shuffle(ready);
        ulong[] wish = ready[..size];
        // A seat that lost its disk gives way first.
        if (_wiped != 0) wish = [.. _council.Where(seat => seat != _wiped).Append(ready.FirstOrDefault(seat => !_council.Contains(seat)))];
        if (wish.Contains(0UL)) return;
        Array.Sort(wish);
        ulong[] expected = _council;
        if (wish.SequenceEqual(expected)) return;
        _changing = true;
        long until = NowNs + 500_000_000;
        void Try()
        {
            Observe();
            if (!_council.SequenceEqual(expected) || NowNs > until)
            {
                // Long enough that whatever was asked is decided or forgotten.
                At(NowNs + 600_000_000, () => _changing = false);
                return;
            }
            _members.Find(m => m.Core is { Ready: true })?.Ask(new Request(0, 0, expected, wish), _ => { });
            At(NowNs + 20_000_000, Try);
        }
        Try();
    }

    private void Heal()
    {
        Observe();
        _cut.Clear();
        foreach (SimulatedMember member in _members)
        {
            member.SlowNs = 0;
            if (!member.Alive) member.Start();
        }
    }
}
