using Rum.Core.Council;

namespace Rum.Core.Sessions;

/// <summary>
/// A session's request slots as its client gives them to commands, one each while it is under way. A command that was given up without an answer may still be decided, by a copy
/// that the network kept: until something newer was decided in its slot, that is in doubt, and nothing else is begun. So what begins after a
/// command was given up is never overtaken by it. Owned by whoever holds the client's lock.
/// </summary>
public sealed class RequestSlots
{
    private readonly State[] _states;
    private readonly uint[] _counters;
    private int _doubts, _settling;

    /// <summary>Slots 0 to <paramref name="count"/> - 1, all free.</summary>
    public RequestSlots(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, RequestId.MaxSlots);
        _states = new State[count];
        _counters = new uint[count];
    }

    private enum State : byte
    {
        Free,
        Taken,
        Doubt,
        Settling,
    }

    /// <summary>
    /// Takes a slot for a new request, the lowest that is free: so a program with one thread has one result in the council's state. With <paramref name="settles"/> the slot is in doubt: a command that
    /// does nothing must be decided in it before the caller asks for a slot again. False: all are taken, or somebody else is settling one.
    /// </summary>
    public bool TryTake(SessionId session, out RequestId id, out bool settles)
    {
        id = default;
        settles = _doubts > 0;
        if (!settles && _settling > 0) return false;
        int slot = Array.IndexOf(_states, settles ? State.Doubt : State.Free);
        if (slot < 0) return false;
        if (settles) (_doubts, _settling) = (_doubts - 1, _settling + 1);
        _states[slot] = settles ? State.Settling : State.Taken;
        id = new RequestId(session, (uint)slot, ++_counters[slot]);
        return true;
    }

    /// <summary>Gives a slot back. Not <paramref name="answered"/>: its request may still be decided.</summary>
    public void Give(uint slot, bool answered)
    {
        Invariant.Check(_states[slot] is State.Taken or State.Settling);
        if (_states[slot] == State.Settling) _settling--;
        if (!answered) _doubts++;
        _states[slot] = answered ? State.Free : State.Doubt;
    }

    /// <summary>Whether nobody has one.</summary>
    public bool Idle => Array.TrueForAll(_states, static state => state is State.Free or State.Doubt);
}
