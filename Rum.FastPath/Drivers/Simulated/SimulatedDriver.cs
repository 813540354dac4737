using Rum.Core;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Drivers.Simulated;

/// <summary>An end point of a <see cref="SimulatedNetwork"/>. Must be polled: nothing happens while nobody advances time.</summary>
public sealed unsafe class SimulatedDriver : IDriver
{
    private readonly SimulatedNetwork _network;
    private readonly Queue<nint> _inbox = new();
    private readonly List<nint> _held = [];
    private DriverCounters _counters;

    internal SimulatedDriver(SimulatedNetwork network, int number)
    {
        _network = network;
        Number = number;
        Traits = new DriverTraits(
            "sim", network.Options.MaxPayload, Checksummed: true, Reliable: false, SendCostsSystemCall: false, network.Options.UsesLanding);
    }

    /// <summary>The end point's number in its network.</summary>
    public int Number { get; }

    /// <summary>Where others reach it.</summary>
    public PeerAddress Address => SimulatedNetwork.AddressOf(Number);

    /// <inheritdoc/>
    public DriverTraits Traits { get; }

    /// <inheritdoc/>
    public DriverCounters Counters => _counters;

    /// <inheritdoc/>
    public int WaitDescriptor => -1;

    /// <summary>Frames of this end point on their way.</summary>
    internal int InFlight { get; set; }

    /// <summary>Frames that wait to be received.</summary>
    internal int Waiting => _inbox.Count;

    /// <summary>Whether the end point is gone; what arrives for it vanishes.</summary>
    internal bool Disposed { get; private set; }

    /// <inheritdoc/>
    public int Send(ReadOnlySpan<TxFrame> frames)
    {
        int taken = 0;
        foreach (ref readonly TxFrame frame in frames)
        {
            if (InFlight >= _network.Options.InFlightMax)
            {
                _counters.SendBackPressure++;
                break;
            }

            Invariant.Check((uint)frame.PayloadLength <= (uint)Traits.MaxPayload);
            SimulatedNetwork.Datagram* datagram = _network.Rent();
            new ReadOnlySpan<byte>(frame.Header, FrameHeader.Size).CopyTo(new Span<byte>(datagram->Bytes, FrameHeader.Size));
            new ReadOnlySpan<byte>(frame.Payload, frame.PayloadLength).CopyTo(new Span<byte>(datagram->Bytes + FrameHeader.Size, frame.PayloadLength));
            int length = FrameHeader.Size + frame.PayloadLength;
            int to = frame.Peer == SimulatedNetwork.AddressOf((int)frame.Peer.Low) ? (int)frame.Peer.Low : -1;
            _network.Launch(datagram, Number, to, length);
            _counters.FramesSent++;
            _counters.BytesSent += length;
            taken++;
        }

        return taken;
    }

    /// <inheritdoc/>
    public int Receive(Span<RxFrame> frames)
    {
        Invariant.Check(_held.Count == 0);
        int received = 0;
        while (received < frames.Length && _inbox.TryDequeue(out nint waiting))
        {
            var datagram = (SimulatedNetwork.Datagram*)waiting;
            int payload = (int)datagram->Length - FrameHeader.Size;
            if (payload < 0 || payload > Layout.PageSize)
            {
                _counters.FramesDropped++;
                _network.Return(datagram);
                continue;
            }

            _held.Add(waiting);
            ref RxFrame frame = ref frames[received++];
            frame.Peer = SimulatedNetwork.AddressOf(datagram->From);
            frame.Header = datagram->Bytes;
            frame.PayloadLength = payload;
            frame.Payload = payload == 0 ? null : datagram->Bytes + FrameHeader.Size;
            if (payload > 0 && frame.Landing != null && Traits.UsesLanding)
            {
                new ReadOnlySpan<byte>(frame.Payload, payload).CopyTo(new Span<byte>(frame.Landing, payload));
                frame.Payload = frame.Landing;
            }

            _counters.FramesReceived++;
            _counters.BytesReceived += datagram->Length;
        }

        return received;
    }

    /// <inheritdoc/>
    public void Release()
    {
        foreach (nint held in _held) _network.Return((SimulatedNetwork.Datagram*)held);
        _held.Clear();
    }

    /// <inheritdoc/>
    public bool PrepareWait() => _inbox.Count == 0;

    /// <inheritdoc/>
    public void FinishWait()
    {
    }

    /// <summary>Leaves the network: what arrives from now on vanishes.</summary>
    public void Dispose()
    {
        if (Disposed) return;
        Disposed = true;
        Release();
        while (_inbox.TryDequeue(out nint waiting)) _network.Return((SimulatedNetwork.Datagram*)waiting);
    }

    internal void Accept(SimulatedNetwork.Datagram* datagram) => _inbox.Enqueue((nint)datagram);
}
