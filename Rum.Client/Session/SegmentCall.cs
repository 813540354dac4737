using Rum.Native;

namespace Rum.Session;

/// <summary>A blocking call on a range of a segment; it holds the segment's gate, which it was given entered, until it has really ended.</summary>
internal sealed class SegmentCall(UseGate gate, SegmentOperation operation, nint address, long length) : WaitCall
{
    protected override int Invoke() => operation switch
    {
        SegmentOperation.Pin => LibRum.rum_pin(address, (nuint)length),
        SegmentOperation.PinForCopy => LibRum.rum_client_pin_for_copy(address, length),
        SegmentOperation.Prefetch => LibRum.rum_prefetch(address, (nuint)length),
        SegmentOperation.Flush => LibRum.rum_flush(address, (nuint)length),
        SegmentOperation.Refresh => LibRum.rum_client_refresh(address),
        _ => throw new InvalidOperationException($"No such operation: {operation}."),
    };

    protected override void Undo()
    {
        if (operation is SegmentOperation.Pin or SegmentOperation.PinForCopy) _ = LibRum.rum_unpin(address, (nuint)length);
    }

    protected override void Ended() => gate.Exit();
}

/// <summary>The operations of <see cref="SegmentCall"/>.</summary>
internal enum SegmentOperation
{
    Pin,
    PinForCopy,
    Prefetch,
    Flush,
    Refresh,
}
