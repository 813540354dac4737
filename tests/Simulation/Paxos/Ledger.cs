using Rum.Core.Paxos;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Paxos;

/// <summary>A command of a simulated client: its number, or (client 0) a change of the council, carried out only if the council is the one expected.</summary>
internal sealed record Request(int Client, int Number, ulong[] Expected, ulong[] Council)
{
    /// <summary>Clients from here on hold sessions, and do nothing else.</summary>
    public const int FirstLeaseholder = 100;

    public const int Open = 1;

    /// <summary>Ends the session that is expected.</summary>
    public const int Expire = 2;
}

/// <summary>The replicated state of the simulation: which request of each client was carried out last and when, and the council.</summary>
internal sealed class Ledger(Chronicle chronicle, IReadOnlyList<ulong> founders) : IReplicated
{
    private readonly SortedDictionary<int, (int Number, ulong Decree)> _done = [];
    private readonly SortedDictionary<int, ulong> _sessions = [];
    private ulong[] _council = [];

    public IReadOnlyList<ulong> Council => _council;

    public ulong Decree { get; private set; }

    public ulong CouncilSince { get; private set; }

    /// <summary>The open session of each client that has one: the decree that opened it and the client, so never twice the same.</summary>
    public IReadOnlyDictionary<int, ulong> Sessions => _sessions;

    /// <summary>The state before the first decree, as a checkpoint.</summary>
    public static byte[] Newborn(IReadOnlyList<ulong> founders) => new Ledger(new Chronicle(), founders) { _council = [.. founders] }.Capture();

    public (int Number, ulong Decree) Last(int client) => _done.GetValueOrDefault(client);

    public void Apply(ulong decree, byte[] value)
    {
        if (decree != Decree + 1) throw new SimulationException($"decree {decree} applied after {Decree}");
        Decree = decree;
        chronicle.Decided(decree, value);
        if (value.Length == 0) return;
        foreach (Request request in Decode(value)) Execute(request);
    }

    public void Restore(ulong decree, byte[] state)
    {
        using var from = new BinaryReader(new MemoryStream(state));
        _done.Clear();
        _sessions.Clear();
        Decree = from.ReadUInt64();
        if (Decree != decree) throw new SimulationException($"the state of decree {Decree} came as that of {decree}");
        CouncilSince = from.ReadUInt64();
        _council = ReadSeats(from);
        for (int i = from.ReadInt32(); i > 0; i--) _done[from.ReadInt32()] = (from.ReadInt32(), from.ReadUInt64());
        for (int i = from.ReadInt32(); i > 0; i--) _sessions[from.ReadInt32()] = from.ReadUInt64();
    }

    public byte[] Capture()
    {
        var bytes = new MemoryStream();
        using var to = new BinaryWriter(bytes);
        to.Write(Decree);
        to.Write(CouncilSince);
        WriteSeats(to, _council);
        to.Write(_done.Count);
        foreach ((int client, (int number, ulong decree)) in _done)
        {
            to.Write(client);
            to.Write(number);
            to.Write(decree);
        }
        to.Write(_sessions.Count);
        foreach ((int client, ulong session) in _sessions)
        {
            to.Write(client);
            to.Write(session);
        }
        return bytes.ToArray();
    }

    public static byte[] Encode(IReadOnlyCollection<Request> requests)
    {
        var bytes = new MemoryStream();
        using var to = new BinaryWriter(bytes);
        to.Write(requests.Count);
        foreach (Request request in requests)
        {
            to.Write(request.Client);
            to.Write(request.Number);
            WriteSeats(to, request.Expected);
            WriteSeats(to, request.Council);
        }
        return bytes.ToArray();
    }

    public static List<Request> Decode(byte[] value)
    {
        using var from = new BinaryReader(new MemoryStream(value));
        var requests = new List<Request>();
        for (int i = from.ReadInt32(); i > 0; i--) requests.Add(new Request(from.ReadInt32(), from.ReadInt32(), ReadSeats(from), ReadSeats(from)));
        return requests;
    }

    private void Execute(Request request)
    {
        if (request.Client == 0)
        {
            if (!request.Expected.SequenceEqual(_council) || request.Council.Length == 0) return;
            _council = request.Council;
            CouncilSince = Decree;
            return;
        }
        if (request.Client >= Request.FirstLeaseholder)
        {
            if (request.Number == Request.Open)
            {
                _sessions.TryAdd(request.Client, (Decree * 256) + (ulong)(request.Client - Request.FirstLeaseholder));
            }
            else if (_sessions.GetValueOrDefault(request.Client) == request.Expected[0] && _sessions.Remove(request.Client))
            {
                chronicle.Expired(request.Expected[0]);
            }
            return;
        }
        if (_done.GetValueOrDefault(request.Client).Number >= request.Number) return;
        _done[request.Client] = (request.Number, Decree);
        chronicle.Executed(request.Client, request.Number, Decree);
    }

    private static void WriteSeats(BinaryWriter to, ulong[] seats)
    {
        to.Write(seats.Length);
        foreach (ulong seat in seats) to.Write(seat);
    }

    private static ulong[] ReadSeats(BinaryReader from)
    {
        ulong[] seats = new ulong[from.ReadInt32()];
        for (int i = 0; i < seats.Length; i++) seats[i] = from.ReadUInt64();
        return seats;
    }

    public override string ToString() => $"decree {Decree}, council {string.Join(",", _council)} of {founders.Count} founders";
}
