using Rum.Core;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>
/// An Ethernet port of DPDK: what it is, and its queues once <see cref="Start"/> has made them. Started again after a stop as often as wanted. Set-up only;
/// <see cref="DpdkDriver"/> is the data path.
/// </summary>
public sealed unsafe class DpdkPort
{
    /// <summary>The most ports of a process.</summary>
    public const int PortsMax = 32;

    /// <summary>Bytes of an Ethernet header.</summary>
    internal const int EthernetHeader = 14;

    /// <summary>Bytes of an IPv4 and a UDP header.</summary>
    internal const int IpUdpHeaders = 28;

    private const int AddressFamilyPacket = 17, AddressFamilyXdp = 44;
    private const int JumboMtu = 9000;
    private const int PlainMtu = 1500;
    private const int PacketDataRoom = 8192;

    // A buffer with its bookkeeping lies within one 4 KiB chunk of the area shared with the kernel.
    private const int XdpDataRoom = 3712;
    private const uint XdpFill = 2048;
    private const uint Descriptors = 1024;
    private const uint PoolCache = 128;
    private const ulong MultiSegments = 1UL << 15, Scatter = 1UL << 13, Ipv4Checksum = 1UL << 1, UdpChecksum = 1UL << 2;

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<ushort, DpdkPort> Known = new();
    private static int _poolNumber;
    private void* _receivePool, _sendPool, _chainPool;

    private DpdkPort(ushort id, in NativePortInfo info, string device)
    {
        Id = id;
        Device = device;
        fixed (NativePortInfo* pinned = &info)
        {
            Name = DpdkLibrary.Text(pinned->Name);
            DriverName = DpdkLibrary.Text(pinned->Driver);
            Mac = MacAddress.Read(pinned->Mac);
        }
        Info = info;
    }

    /// <summary>DPDK's number of the port.</summary>
    public ushort Id { get; }

    /// <summary>The device's name, "net_vhost0" or "0000:3b:00.0".</summary>
    public string Name { get; }

    /// <summary>The arguments that it was made with where it is a virtual device, else empty.</summary>
    public string Device { get; }

    /// <summary>The poll-mode driver's name, "net_vhost".</summary>
    public string DriverName { get; }

    /// <summary>Its MAC address.</summary>
    public ulong Mac { get; }

    /// <summary>The NUMA node, -1 where there is none.</summary>
    public int Socket => Info.Socket;

    internal NativePortInfo Info { get; }

    /// <summary>Whether its frames go through the kernel, so that a burst is a system call.</summary>
    public bool KernelBacked => DriverName is "net_af_packet" or "net_af_xdp" or "net_tap" or "net_pcap";

    /// <summary>Whether its frames never leave this machine's memory.</summary>
    public bool InMemory => DriverName is "net_vhost" or "net_virtio_user" or "net_memif" or "net_ring";

    /// <summary>Whether its link is a process that can hang up for good: then the device must be made anew.</summary>
    internal bool PointToPoint => DriverName is "net_virtio_user" or "net_memif";

    /// <summary>
    /// Whether a send copies out of the page before it returns, so that the page may be sent from its place. Other ports keep the buffer
    /// until the card is done (or need it in memory that they know): they get a copy.
    /// </summary>
    public bool SendsFromPlace => DriverName == "net_af_packet" || (DriverName == "net_vhost" && EalArguments.DeviceSetting(Device, "dmas") is null);

    /// <summary>Bytes of a frame behind its Ethernet header, after <see cref="Start"/>.</summary>
    public int Mtu { get; private set; }

    /// <summary>Queues in use, after <see cref="Start"/>.</summary>
    public int Queues { get; private set; }

    /// <summary>Whether a queue can wake its poller by interrupt, after <see cref="Start"/>.</summary>
    public bool Interrupts { get; private set; }

    /// <summary>Whether the link is up.</summary>
    public bool LinkUp => NativeMethods.rum_dpdk_link(Id) > 0;

    /// <summary>The sockets behind a kernel-backed port: readable when frames are there.</summary>
    internal IReadOnlyList<int> KernelSockets { get; private set; } = [];

    internal void* SendPool => _sendPool;

    internal void* ChainPool => _chainPool;

    /// <summary>Looks at a port. The kernel's MTU is read in the calling thread's network namespace.</summary>
    public static DpdkPort Look(ushort id)
    {
        // A port that was in use before has its pools still.
        if (Known.TryGetValue(id, out DpdkPort? known)) return known;
        NativePortInfo info;
        int error = NativeMethods.rum_dpdk_port_info(id, &info);
        if (error < 0) throw new DpdkException($"port {id} can't be looked at: {DpdkLibrary.Words(error)}.");
        string name = DpdkLibrary.Text(info.Name);
        foreach (string device in EalArguments.Devices(Eal.Arguments))
            if (device == name || device.StartsWith(name + ",", StringComparison.Ordinal)) return Known[id] = new DpdkPort(id, info, device);
        return Known[id] = new DpdkPort(id, info, "");
    }

    /// <summary>Attaches a device and looks at its port.</summary>
    public static DpdkPort Attach(string device)
    {
        ushort id = Eal.Attach(device);
        NativePortInfo info;
        int error = NativeMethods.rum_dpdk_port_info(id, &info);
        if (error < 0) throw new DpdkException($"the device '{device}' can't be looked at: {DpdkLibrary.Words(error)}.");
        return Known[id] = new DpdkPort(id, info, device);
    }

    /// <summary>Makes pools and queues and starts the port. Throws <see cref="DpdkException"/>.</summary>
    public void Start(DpdkOptions options)
    {
        Mtu = ChooseMtu(options);
        int[] before = DriverName == "net_af_xdp" ? SocketsOf(AddressFamilyXdp, 0) : [];
        Queues = (int)Math.Min((uint)options.Queues, Math.Max(1, Math.Min(Info.ReceiveQueuesMax, Info.SendQueuesMax)));
        int socket = Info.Socket;
        // A page with all its headers fits one buffer. The packet socket's driver wants room for a whole slot of its ring.
        int frame = EthernetHeader + IpUdpHeaders + FrameHeader.Size + Layout.PageSize;
        int room = DpdkLibrary.Headroom + Math.Max((frame + 63) & ~63, (int)Info.ReceiveBufferMin);
        if (DriverName == "net_af_packet") room = DpdkLibrary.Headroom + Math.Max(PacketDataRoom, FrameSize);
        if (DriverName == "net_af_xdp") room = XdpDataRoom;
        uint count = (uint)Queues * (Descriptors + PoolCache) + (4 * DpdkDriver.BurstMax) + 511;
        // The kernel's fill ring takes 2,048 buffers whatever is asked for.
        if (DriverName == "net_af_xdp") count += 2 * XdpFill;
        if (_receivePool == null)
        {
            // A stopped port still holds receive buffers: its pools stay until it is taken away.
            int number = Interlocked.Increment(ref _poolNumber);
            _receivePool = Pool($"rum-rx-{number}", count, room, socket);
            _sendPool = Pool($"rum-tx-{number}", count, DpdkLibrary.Headroom + ((frame + 63) & ~63), socket);
            _chainPool = SendsFromPlace ? Pool($"rum-ext-{number}", count, 0, socket) : null;
        }
        var setup = new NativePortSetup
        {
            Queues = (ushort)Queues,
            ReceiveDescriptors = (ushort)Descriptors,
            SendDescriptors = (ushort)Descriptors,
            // The socket-backed drivers report a limit that they don't have, and would refuse the real one.
            Mtu = (ushort)(KernelBacked || InMemory ? 0 : Mtu),
            ReceiveOffloads = Info.ReceiveOffloads & (Scatter | (options.Address is null ? 0 : Ipv4Checksum | UdpChecksum)),
            SendOffloads = Info.SendOffloads & MultiSegments,
            Interrupts = (byte)(options.Wait == DpdkWait.Adaptive && !KernelBacked ? 1 : 0),
            Promiscuous = 0,
        };
        int error = NativeMethods.rum_dpdk_configure(Id, &setup, _receivePool);
        if (error < 0 && setup.Interrupts != 0)
        {
            // No interrupts here: then the poller polls.
            setup.Interrupts = 0;
            error = NativeMethods.rum_dpdk_configure(Id, &setup, _receivePool);
        }
        if (error < 0)
        {
            string why = DpdkLibrary.Words(error);
            throw new DpdkException($"port {Name} ({DriverName}) can't be started: {why} (DPDK's own words are on stderr). {EalArguments.DeviceAdvice(Device.Length > 0 ? Device : Name)}");
        }
        Interrupts = setup.Interrupts != 0;
        KernelSockets = DriverName switch
        {
            "net_af_packet" => SocketsOf(AddressFamilyPacket, Info.InterfaceIndex),
            "net_af_xdp" => [.. SocketsOf(AddressFamilyXdp, 0).Except(before)],
            _ => [],
        };
    }

    /// <summary>Stops the port; none of its buffers may be held any more.</summary>
    public void Stop()
    {
        NativeMethods.rum_dpdk_stop(Id);
        Interrupts = false;
    }

    /// <summary>Takes the device away, with its pools.</summary>
    public void Detach()
    {
        Known.TryRemove(Id, out _);
        Eal.Detach(Id);
        FreePools();
    }

    /// <summary>DPDK's own counters of the port.</summary>
    public DpdkPortCounters ReadCounters()
    {
        NativePortCounters all;
        if (NativeMethods.rum_dpdk_counters(Id, &all) < 0) return default;
        return new DpdkPortCounters((long)all.FramesSent, (long)all.FramesReceived, (long)all.BytesSent, (long)all.BytesReceived,
            (long)(all.Missed + all.NoBuffer), (long)(all.ReceiveErrors + all.SendErrors));
    }

    /// <summary>The slot size of a packet socket's ring: what exceeds it is lost silently.</summary>
    private int FrameSize => int.TryParse(EalArguments.DeviceSetting(Device, "framesz"), out int said) ? said : 2048;

    private int ChooseMtu(DpdkOptions options)
    {
        int most = JumboMtu;
        if (Info.KernelMtu > 0) most = (int)Info.KernelMtu;
        else if (!KernelBacked && !InMemory) most = Info.MtuMax is > 0 and < ushort.MaxValue ? Math.Min(JumboMtu, (int)Info.MtuMax) : PlainMtu;
        // A slot holds the kernel's own header too (tpacket2_hdr and the address, rounded: 66 bytes and padding).
        if (DriverName == "net_af_packet") most = Math.Min(most, FrameSize - 96 - EthernetHeader);
        // One chunk of the shared area holds a frame: 4 KiB without the headroom that the driver and the kernel keep.
        if (DriverName == "net_af_xdp") most = Math.Min(most, 3000);
        if (options.Mtu == 0) return most;
        if (options.Mtu <= most) return options.Mtu;
        throw new DpdkException(
            $"port {Name} carries frames of {most} bytes and not --mtu {options.Mtu}."
            + (DriverName == "net_af_packet" ? $" Give its device framesz=16384,blocksz=65536 and the interface the MTU: ip link set {EalArguments.DeviceSetting(Device, "iface")} mtu {options.Mtu}." : ""));
    }

    private static int[] SocketsOf(int family, uint interfaceIndex)
    {
        var found = new List<int>();
        for (int fd = NativeMethods.rum_dpdk_socket(family, interfaceIndex, 0); fd >= 0; fd = NativeMethods.rum_dpdk_socket(family, interfaceIndex, fd + 1)) found.Add(fd);
        return [.. found];
    }

    private void* Pool(string name, uint count, int room, int socket)
    {
        void* pool = NativeMethods.rum_dpdk_pool(name, count, PoolCache, (uint)room, socket);
        if (pool != null) return pool;
        FreePools();
        throw new DpdkException(
            $"port {Name} has no memory for {count} buffers of {room} bytes: give DPDK more (-m 512 behind --no-huge, or reserve huge pages: "
            + "echo 512 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages).");
    }

    internal void FreePools()
    {
        if (_receivePool != null) NativeMethods.rum_dpdk_pool_free(_receivePool);
        if (_sendPool != null) NativeMethods.rum_dpdk_pool_free(_sendPool);
        if (_chainPool != null) NativeMethods.rum_dpdk_pool_free(_chainPool);
        _receivePool = _sendPool = _chainPool = null;
    }
}
