using Rum.FastPath.Drivers;

namespace Rum.Unit.FastPath;

/// <summary>A driver that for a while takes no frames, or lets none come; it notes whose payloads it sent.</summary>
internal sealed unsafe class GatedDriver(IDriver inner) : IDriver
{
    /// <summary>Whether it takes frames.</summary>
    public bool Takes { get; set; } = true;

    /// <summary>Whether frames come.</summary>
    public bool Hears { get; set; } = true;

    /// <summary>Where the payloads were that it sent.</summary>
    public List<nint> Payloads { get; } = [];

    public DriverTraits Traits => inner.Traits;

    public int WaitDescriptor => inner.WaitDescriptor;

    public DriverCounters Counters => inner.Counters;

    public int Send(ReadOnlySpan<TxFrame> frames)
    {
        if (!Takes) return 0;
        int taken = inner.Send(frames);
        foreach (ref readonly TxFrame frame in frames[..taken])
            if (frame.Payload != null) Payloads.Add((nint)frame.Payload);
        return taken;
    }

    public int Receive(Span<RxFrame> frames) => Hears ? inner.Receive(frames) : 0;

    public void Release() => inner.Release();

    public bool PrepareWait() => inner.PrepareWait();

    public void FinishWait() => inner.FinishWait();

    public void Dispose() => inner.Dispose();
}
