using Rum.Core;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;
using Rum.FastPath.Memory;
using Rum.FastPath.Tracing;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>
/// Frames over one DPDK port: raw Ethernet with an EtherType of their own, or in UDP over IPv4. Pages leave from their place where the port's driver copies them
/// out before it returns (vhost, packet sockets), and arrive in the port's own buffers, from which the room above copies them once. This file is the set-up.
/// </summary>
public sealed unsafe partial class DpdkDriver : IDriver
{
    /// <summary>Frames per burst; longer bursts take several.</summary>
    public const int BurstMax = 64;

    /// <summary>"dpdk".</summary>
    public const string Name = "dpdk";

    private const int LinearStride = 8192;

    private readonly DpdkOptions _options;
    private readonly NativeRegion _memory;
    private readonly bool _detaches;
    private readonly int _headers;
    private readonly int _maxPayload;
    private readonly bool _fromPlace;
    private readonly uint _ownAddress;
    private readonly StageTrace? _trace;

    // One mapping, cut up: the bursts' buffers by address, the template of a frame's first bytes, the count of payloads that the port holds, and room to
    // put frames of several segments together.
    private readonly void** _rx;
    private readonly void** _held;
    private readonly void** _tx;
    private readonly void** _segments;
    private readonly byte* _template;
    private readonly void* _shared;
    private readonly byte* _linear;
    private volatile bool _disposed;

    private DpdkDriver(DpdkPort port, DpdkOptions options, bool detaches)
    {
        Port = port;
        _options = options;
        _detaches = detaches;
        _encapsulated = options.Address is not null;
        if (_encapsulated) Invariant.Check(DpdkPeer.Number(options.Address!, out _ownAddress));
        _headers = DpdkPort.EthernetHeader + (_encapsulated ? DpdkPort.IpUdpHeaders : 0);
        _fromPlace = port.SendsFromPlace && !options.CopyAlways;
        _trace = options.OpenTrace();
        port.Start(options);
        _maxPayload = Math.Min(Layout.PageSize, port.Mtu + DpdkPort.EthernetHeader - _headers - FrameHeader.Size);
        Invariant.Check(_maxPayload >= Udp.UdpDriverOptions.MaxPayloadMin);
        Traits = new DriverTraits(
            Name, _maxPayload, Checksummed: options.Checksum ?? !port.InMemory, Reliable: false, SendCostsSystemCall: port.KernelBacked, UsesLanding: false);
        const int Addresses = BurstMax * sizeof(long);
        _memory = new NativeRegion((4 * Addresses) + 64 + 64 + (BurstMax * LinearStride));
        byte* next = _memory.Start;
        _linear = next;
        next += BurstMax * LinearStride;
        _rx = (void**)next;
        _held = (void**)(next + Addresses);
        _tx = (void**)(next + (2 * Addresses));
        _segments = (void**)(next + (3 * Addresses));
        _template = next + (4 * Addresses);
        _shared = _template + 64;
        NativeMethods.rum_dpdk_share(_shared);
        LayTemplate();
        OpenWait();
    }

    /// <summary>The port.</summary>
    public DpdkPort Port { get; }

    /// <summary>This end's address, as peers say it.</summary>
    public PeerAddress Address => _encapsulated ? DpdkPeer.From(Port.Mac, _ownAddress, (ushort)_options.UdpPort) : DpdkPeer.From(Port.Mac);

    /// <summary>Everybody on the link.</summary>
    public PeerAddress Everybody => _encapsulated ? DpdkPeer.From(MacAddress.Broadcast, uint.MaxValue, (ushort)_options.UdpPort) : DpdkPeer.From(MacAddress.Broadcast);

    /// <summary>Whether it is disposed. Any thread.</summary>
    internal bool IsDisposed => _disposed;

    /// <inheritdoc/>
    public DriverTraits Traits { get; }

    /// <summary>Starts a port of the EAL's and drives it; the port is stopped at the end. Throws <see cref="DpdkException"/>.</summary>
    public static DpdkDriver Open(DpdkPort port, DpdkOptions options) => new(port, options, detaches: false);

    /// <summary>Attaches a device and drives it; it is taken away at the end. Throws <see cref="DpdkException"/>.</summary>
    public static DpdkDriver Attach(string device, DpdkOptions options)
    {
        DpdkPort port = DpdkPort.Attach(device);
        try
        {
            return new DpdkDriver(port, options, detaches: true);
        }
        catch
        {
            port.Detach();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Release();
        // Before the memory goes, so that nobody who still asks touches it.
        while (_next < _ready) NativeMethods.rum_dpdk_free(_rx + _next++, 1);
        CloseWait();
        Port.Stop();
        if (_detaches) Port.Detach();
        _memory.Dispose();
    }
}
