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

    public void Read(ulong mustSee, ulong seen)
    {
        if (seen < mustSee) throw new SimulationException($"a confirmed read saw decree {seen}, but {mustSee} had been answered before it was asked");
    }
}
