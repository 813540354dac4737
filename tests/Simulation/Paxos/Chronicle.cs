using Rum.Simulation.Pages;

namespace Rum.Simulation.Paxos;

/// <summary>What the omniscient observer knows: the value of each decree, and when each request was carried out. Throws on a contradiction.</summary>
internal sealed class Chronicle
{
    private readonly Dictionary<ulong, byte[]> _values = [];
    private readonly Dictionary<(int Client, int Number), ulong> _executed = [];

    public ulong LastDecided { get; private set; }

    /// <summary>The last decree that any client knows of.</summary>
    public ulong LastAnswered { get; private set; }

    public int Answers { get; private set; }

    public void Decided(ulong decree, byte[] value)
    {
        if (!_values.TryAdd(decree, value) && !_values[decree].AsSpan().SequenceEqual(value)) throw new SimulationException($"decree {decree} has two values");
        LastDecided = Math.Max(LastDecided, decree);
    }

    public void Executed(int client, int number, ulong decree)
    {
        if (!_executed.TryAdd((client, number), decree) && _executed[(client, number)] != decree)
            throw new SimulationException($"request {number} of client {client} was carried out in decree {decree} and in {_executed[(client, number)]}");
    }

    public void Answered(int client, int number, ulong decree)
    {
        if (!_executed.TryGetValue((client, number), out ulong known) || known != decree)
            throw new SimulationException($"client {client} was told that request {number} was decree {decree}; it was {known}");
        LastAnswered = Math.Max(LastAnswered, decree);
        Answers++;
    }

    /// <summary>Shorter than an election may take, so that leases end while nobody leads.</summary>
    public const long LeaseNs = 150_000_000;

    private readonly Dictionary<ulong, long> _expired = [];
    private readonly Dictionary<ulong, long> _renewed = [];

    /// <summary>Virtual time.</summary>
    public long NowNs { get; set; }

    public int Expiries => _expired.Count;

    public int Heartbeats { get; private set; }

    /// <summary>A session has ended, as some member has just learned; the first counts.</summary>
    public void Expired(ulong session)
    {
        if (!_expired.TryAdd(session, NowNs)) return;
        CheckLease(session);
    }

    /// <summary>A client was told that its session lives, upon a heartbeat sent then.</summary>
    public void Renewed(ulong session, long sentNs)
    {
        Heartbeats++;
        _renewed[session] = Math.Max(sentNs, _renewed.GetValueOrDefault(session, long.MinValue));
        CheckLease(session);
    }

    public bool HasExpired(ulong session) => _expired.ContainsKey(session);

    private void CheckLease(ulong session)
    {
        if (_expired.TryGetValue(session, out long ended) && _renewed.TryGetValue(session, out long sent) && ended < sent + LeaseNs)
            throw new SimulationException($"session {session} ended at {ended} ns, within the lease of a heartbeat that was sent at {sent} ns and answered");
    }

    public void Read(ulong mustSee, ulong seen)
    {
        if (seen < mustSee) throw new SimulationException($"a confirmed read saw decree {seen}, but {mustSee} had been answered before it was asked");
    }
}
