using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Sessions;

namespace Rum.Tests.Unit.Core;

/// <summary>
/// Threads of a client, a network that keeps, doubles, loses and delays what they ask, and councils whose leader changes, in steps from one seed. Each command allocates a size of its own, so
/// that what the council did tells which one it was.
/// </summary>
internal sealed class SlotWorld
{
    private const int Threads = 6, Slots = 4, SizeOfNothing = 0;

    private readonly Random _random;
    private readonly bool _settles;
    private readonly CouncilBench _council = new();
    private readonly SessionId _session;
    private readonly RequestSlots _slots = new(Slots);
    private readonly List<Asked> _network = [];
    private readonly Asked?[] _asking = new Asked?[Threads];
    private readonly List<Asked> _all = [];
    private int _now;

    public SlotWorld(int seed, bool settles)
    {
        _random = new Random(seed);
        _settles = settles;
        _council.Join("a", 1L << 44);
        _session = _council.Session();
    }

    /// <summary>The first thing that went wrong; null for none.</summary>
    public string? Wrong { get; private set; }

    /// <summary>Slots that were in doubt and are no longer.</summary>
    public int Settled { get; private set; }

    /// <summary>Copies of commands that came after their clients had given them up, and that the council refused.</summary>
    public int RefusedLate { get; private set; }

    public void Run(int steps)
    {
        for (_now = 1; _now <= steps && Wrong is null; _now++)
        {
            int thread = _random.Next(Threads);
            if (_asking[thread] is { } asked) GoOn(thread, asked);
            else Begin(thread);
            if (_network.Count > 0 && _random.Next(3) > 0) Deliver(_random.Next(_network.Count));
            if (_random.Next(40) == 0) _council.Machine = Successor(_council.Machine);
        }
        foreach (Asked asked in _all)
        {
            if (asked.Done > 1) Wrong ??= $"command {asked.Size} was carried out {asked.Done} times";
            if (asked.Succeeded && asked.Done != 1) Wrong ??= $"command {asked.Size} was answered and carried out {asked.Done} times";
        }
    }

    private void Begin(int thread)
    {
        if (!_slots.TryTake(_session, out RequestId id, out bool settling)) return;
        var asked = new Asked(id, settling ? SizeOfNothing : _all.Count + 1, _now);
        if (!settling) _all.Add(asked);
        _asking[thread] = asked;
        _network.Add(asked);
    }

    private void GoOn(int thread, Asked asked)
    {
        if (asked.Answer is { } answer && _random.Next(3) > 0)
        {
            asked.Succeeded = answer.Error == RumError.None;
            if (asked.Size != SizeOfNothing && !asked.Succeeded) Wrong ??= $"command {asked.Size} was refused: {answer.Message}";
            if (asked.Size == SizeOfNothing) Settled++;
            _slots.Give(asked.Id.Slot, answered: true);
            _asking[thread] = null;
        }
        else if (_random.Next(12) == 0)
        {
            asked.GivenUpAt = _now;
            _slots.Give(asked.Id.Slot, answered: !_settles);
            _asking[thread] = null;
        }
        else if (_random.Next(3) == 0)
        {
            _network.Add(asked);
        }
    }

    private void Deliver(int which)
    {
        Asked asked = _network[which];
        // Kept for later too, lost, or gone with this.
        if (_random.Next(4) > 0) _network.RemoveAt(which);
        if (_random.Next(5) == 0) return;
        int before = _council.Status.Segments;
        Result result = _council.Machine.Apply(_council.Machine.Decree + 1, asked.Id, new Allocate(_session, UInt128.Zero, asked.Size, 1, SegmentFlags.None, default));
        asked.Answer ??= result;
        if (_council.Status.Segments == before)
        {
            if (asked.GivenUpAt > 0 && asked.Done == 0 && result.Error != RumError.None) RefusedLate++;
            return;
        }
        asked.Done++;
        if (asked.GivenUpAt > 0 && _all.Exists(later => later.BegunAt > asked.GivenUpAt))
            Wrong ??= $"command {asked.Size}, given up in step {asked.GivenUpAt}, was carried out in step {_now}, after a later one had begun";
    }

    // What a new leader knows: the state, slots and results included.
    private static CouncilMachine Successor(CouncilMachine machine) =>
        CouncilSnapshot.TryDecode(CouncilSnapshot.Encode(machine), out CouncilMachine? next) ? next : throw new InvalidOperationException("a state can't be read back");

    private sealed class Asked(RequestId id, int size, int begunAt)
    {
        public RequestId Id => id;

        public int Size => size;

        public int BegunAt => begunAt;

        public int GivenUpAt { get; set; }

        public Result? Answer { get; set; }

        public int Done { get; set; }

        public bool Succeeded { get; set; }
    }
}
