using Rum.Native;

namespace Rum.Session;

/// <summary>A blocking call on a range of a segment; it holds the segment's gate, which it was given entered, until it has really ended.</summary>
internal sealed class SegmentCall(UseGate gate, SegmentOperation operation, nint address, long length) : WaitCall
{
    protected override int Invoke() => operation switch
    {
        SegmentOperation.Pin => LibRum.rum_pin(address, (nuint)length),
        SegmentOperation.Hold => LibRum.rum_client_hold(address, length),
        SegmentOperation.Prefetch => LibRum.rum_prefetch(address, (nuint)length),
        SegmentOperation.Flush => LibRum.rum_flush(address, (nuint)length),
        SegmentOperation.Refresh => LibRum.rum_client_refresh(address),
        _ => throw new InvalidOperationException($"No such operation: {operation}."),
    };

    protected override void Undo()
    {
        if (operation == SegmentOperation.Pin) _ = LibRum.rum_unpin(address, (nuint)length);
        else if (operation == SegmentOperation.Hold) _ = LibRum.rum_client_end_hold(address, length);
    }

    protected override void Ended() => gate.Exit();
}

/// <summary>The operations of <see cref="SegmentCall"/>.</summary>
internal enum SegmentOperation
{
    Pin,
    Hold,
    Prefetch,
    Flush,
    Refresh,
}
