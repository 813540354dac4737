using Rum.FastPath.Drivers;

namespace Rum.Simulation.Replicas;

/// <summary>A client's way to one life of a silo, as over shared memory: it breaks, with all that is on its way, and never comes back.</summary>
internal sealed class Connection(IDriver inner) : IDriver
{
    public DriverTraits Traits => inner.Traits;

    public int WaitDescriptor => inner.WaitDescriptor;

    public DriverCounters Counters => inner.Counters;

    public bool Disconnected { get; private set; }

    public void Break() => Disconnected = true;

    public int Send(ReadOnlySpan<TxFrame> frames) => Disconnected ? frames.Length : inner.Send(frames);

    public int Receive(Span<RxFrame> frames) => Disconnected ? 0 : inner.Receive(frames);

    public void Release() => inner.Release();

    public bool PrepareWait() => Disconnected || inner.PrepareWait();

    public void FinishWait() => inner.FinishWait();

    public void Dispose() => inner.Dispose();
}
