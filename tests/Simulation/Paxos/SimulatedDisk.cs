using Rum.Core.Paxos;

namespace Rum.Simulation.Paxos;

/// <summary>What a member has made durable.</summary>
internal sealed class SimulatedDisk
{
    private ulong _decree;
    private byte[]? _state;
    private List<PaxosRecord> _records = [];

    public ulong Starts { get; set; }

    public int Records => _records.Count;

    public SimulatedDisk(byte[]? newborn) => _state = newborn;

    /// <summary>The values that it accepted and that no checkpoint covers.</summary>
    public List<byte[]> Votes => [.. _records.OfType<AcceptRecord>().Select(record => record.Value)];

    public PaxosDisk Read() => new(_decree, _state, [.. _records]);

    public void Append(PaxosRecord record)
    {
        if (record is InstallRecord install)
        {
            _records.RemoveAll(r => r is AcceptRecord);
            (_decree, _state) = (install.Decree, install.State);
            return;
        }
        _records.Add(record);
    }

    public void Replace(ulong decree, byte[] state, IReadOnlyList<PaxosRecord> records) => (_decree, _state, _records) = (decree, state, [.. records]);

    /// <summary>A copy of it, to be put back later.</summary>
    public SimulatedDisk Copy() => new(_state) { _decree = _decree, _records = [.. _records], Starts = Starts };

    /// <summary>How a broken disk or program forgets.</summary>
    public void Forget(Predicate<PaxosRecord> which) => _records.RemoveAll(which);

    /// <summary>The newest decree is gone, as when it was never synced.</summary>
    public void ForgetLastAccepted()
    {
        if (_records.OfType<AcceptRecord>().LastOrDefault() is { } last) _records.RemoveAll(r => r is AcceptRecord accept && accept.Decree == last.Decree);
    }
}
