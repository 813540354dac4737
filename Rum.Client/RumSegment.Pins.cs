using System.Diagnostics.CodeAnalysis;
using Rum.Native;
using Rum.Session;

namespace Rum;

public sealed partial class RumSegment
{
    /// <summary>
    /// Makes a range resident and keeps it so until the pin is disposed: its memory is then used like any other, without faults. Pins nest.
    /// </summary>
    /// <exception cref="PinBudgetExceededException">The cache can't hold it beside the other pins; thrown at once, never waited for.</exception>
    public async ValueTask<RumPin> PinAsync(long offset, int length, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CheckPin(offset, length);
        if (TryPin(offset, length, out RumPin? pin)) return pin;
        nint address = _address + (nint)offset;
        UseGate gate = Enter();
        await _client.Waiters.RunAsync(new SegmentCall(gate, SegmentOperation.Pin, address, length), cancellationToken).ConfigureAwait(false);
        return new RumPin(this, gate, address, length, tried: false);
    }

    /// <summary>As <see cref="PinAsync"/> when the whole range is resident, else false; no I/O, below 100 ns for a page.</summary>
    public bool TryPin(long offset, int length, [NotNullWhen(true)] out RumPin? pin)
    {
        CheckPin(offset, length);
        UseGate gate = Enter();
        nint address = _address + (nint)offset;
        int code = LibRum.rum_client_try_pin(address, length);
        pin = code == 0 ? new RumPin(this, gate, address, length, tried: true) : null;
        Exception? failure = code is 0 or Calls.Absent ? null : RumErrors.LastFailure(code);
        gate.Exit();
        if (failure is not null) throw failure;
        return code == 0;
    }

    /// <summary>Ends a pin; nothing is left to do when the mapping it belonged to is gone.</summary>
    internal static void Unpin(UseGate gate, nint address, int length, bool tried)
    {
        if (!gate.TryEnter()) return;
        _ = tried ? LibRum.rum_client_try_unpin(address, length) : LibRum.rum_unpin(address, (nuint)length);
        gate.Exit();
    }

    private void EndHold(long offset, int length)
    {
        UseGate gate = Volatile.Read(ref _gate);
        if (!gate.TryEnter()) return;
        _ = LibRum.rum_client_end_hold(_address + (nint)offset, length);
        gate.Exit();
    }

    private void CheckPin(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        CheckRange(offset, length);
    }
}
