using Rum.Core.Wire;

namespace Rum.Core.Council;

// Who the council is. Decree n + 1 is decided by the council that decree n leaves.
public sealed partial class CouncilMachine
{
    /// <summary>The most silos of a council unless it was said otherwise.</summary>
    public const int CouncilMaxDefault = 3;

    private ulong[] _council = [];

    /// <summary>The seats in force, ascending; empty before <see cref="Found"/>.</summary>
    public IReadOnlyList<ulong> Council => _council;

    /// <summary>The decree that made it so.</summary>
    public ulong CouncilSince { get; private set; }

    /// <summary>How many it shall be at most.</summary>
    public int CouncilMax { get; private set; } = CouncilMaxDefault;

    /// <summary>The first seat, at the cluster's birth and after a recovery that gave up the others.</summary>
    public void Found(ulong seat)
    {
        Invariant.Check(seat != 0);
        _council = [seat];
        CouncilSince = Decree;
    }

    /// <summary>
    /// After the loss of a majority: this seat alone is the council of a new generation. Sessions end, for nobody knows what the lost seats had decided for them; named segments
    /// and the silos stay as they are known here.
    /// </summary>
    public void Refound(ulong seat)
    {
        foreach (ulong session in _sessions.Keys.ToArray()) EndSession(new SessionId(session));
        Generation++;
        Decree++;
        Found(seat);
        ViewChanged();
    }

    /// <summary>The council's seats and the candidates, by seat.</summary>
    public IReadOnlyList<CouncilSeat> CouncilSeats()
    {
        var seats = new SortedDictionary<ulong, CouncilSeat>();
        foreach (ulong seat in _council) seats[seat] = new CouncilSeat(seat, default, "", true);
        foreach (SiloRecord silo in _silos.Values)
        {
            if (silo.Seat == 0 || (!silo.Up && !_council.Contains(silo.Seat))) continue;
            seats[silo.Seat] = new CouncilSeat(silo.Seat, silo.Member.Id, silo.Member.Endpoint, _council.Contains(silo.Seat));
        }
        return [.. seats.Values];
    }

    private bool IsSeated(SiloRecord silo) => silo.Seat != 0 && _council.Contains(silo.Seat);

    private Result Execute(OfferSeat offer)
    {
        if (offer.Seat == 0) return Refuse(RumError.InvalidArgument, "a seat's number is not 0.");
        if (!_silos.TryGetValue(offer.Silo.Value, out SiloRecord? silo) || !silo.Up || silo.Member.Incarnation != offer.Incarnation)
            return Refuse(RumError.StaleView, Replaced(offer.Silo));
        if (silo.Seat == offer.Seat) return Done();
        // A disk that moved to another machine: the silo that had it has it no more.
        foreach (SiloRecord other in _silos.Values)
        {
            if (other.Seat == offer.Seat) other.Seat = 0;
        }
        silo.Seat = offer.Seat;
        ViewChanged();
        return Done();
    }

    private Result Execute(ChangeCouncil change)
    {
        if (change.Since != CouncilSince) return Refuse(RumError.StaleView, $"the council changed in decree {CouncilSince}.");
        ulong[] seats = [.. change.Seats.Distinct().Order()];
        if (seats.Length is not (1 or 3 or 5) || seats.Length != change.Seats.Count || seats[0] == 0)
            return Refuse(RumError.InvalidArgument, "a council has 1, 3 or 5 different seats.");
        foreach (ulong seat in seats)
        {
            if (!_council.Contains(seat) && !_silos.Values.Any(silo => silo.Up && silo.Seat == seat))
                return Refuse(RumError.UnknownSilo, $"no silo that is up offers seat {seat:x16}.");
        }
        _council = seats;
        CouncilSince = Decree;
        ViewChanged();
        return Done();
    }

    private Result Execute(LimitCouncil limit)
    {
        if (limit.Seats is not (1 or 3 or 5)) return Refuse(RumError.InvalidArgument, "a council has 1, 3 or 5 silos.");
        CouncilMax = limit.Seats;
        return Done();
    }

    private void WriteCouncil(ref SpanWriter to)
    {
        to.U64(CouncilSince);
        to.U8((byte)CouncilMax);
        to.U8((byte)_council.Length);
        foreach (ulong seat in _council) to.U64(seat);
    }

    private bool ReadCouncil(ref SpanReader from)
    {
        CouncilSince = from.U64();
        CouncilMax = from.U8();
        _council = new ulong[from.UpTo(5)];
        for (int i = 0; i < _council.Length; i++) _council[i] = from.U64();
        return !from.Failed;
    }
}
