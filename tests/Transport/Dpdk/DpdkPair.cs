using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Dpdk;
using Rum.Tests;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.Dpdk;

internal sealed class DpdkPair : DriverPair
{
    private readonly DpdkDriver _client, _server;
    private readonly Action _end;

    private DpdkPair(DpdkDriver server, DpdkDriver client, Action end) => (_server, _client, _end) = (server, client, end);

    public override IDriver Client => _client;

    public override IDriver Server => _server;

    public DpdkDriver ClientDriver => _client;

    public DpdkDriver ServerDriver => _server;

    public override PeerAddress ServerAddress => _server.Address;

    /// <summary>A silo's vhost port and a client's virtio_user port, connected.</summary>
    public static DpdkPair Vhost(string options = "", int queues = 1)
    {
        DpdkBed.Need();
        DpdkOptions parsed = DpdkOptions.Parse($"-- {options}");
        int number = DpdkBed.Next();
        string path = DpdkBed.Socket("v");
        DpdkDriver server = DpdkDriver.Attach($"net_vhost{number},iface={path},queues={queues}", parsed);
        DpdkBed.Ring();
        DpdkDriver client = DpdkDriver.Attach($"net_virtio_user{number},path={path},queues={queues},queue_size=1024,mrg_rxbuf=1,mac=02:00:00:00:00:{number & 255:x2}", parsed);
        if (!SpinWait.SpinUntil(() => server.Port.LinkUp && client.Port.LinkUp, 10_000)) Assert.Fail("The vhost link did not come up within 10 s.");
        return new DpdkPair(server, client, static () => { });
    }

    /// <summary>Both ends of a wire through the kernel.</summary>
    public static DpdkPair Kernel(Func<int, string, string> device, int mtu, string options = "", string clientOptions = "")
    {
        DpdkBed.Need();
        (NetworkNamespace space, string one, string other) = DpdkBed.Wire(mtu);
        DpdkDriver server = space.Run(() => DpdkDriver.Attach(device(DpdkBed.Next(), one), DpdkOptions.Parse($"-- {options}")));
        try
        {
            DpdkDriver client = space.Run(() => DpdkDriver.Attach(device(DpdkBed.Next(), other), DpdkOptions.Parse($"-- {(clientOptions.Length > 0 ? clientOptions : options)}")));
            return new DpdkPair(server, client, () => space.TryRun($"ip link del {one}", out _));
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public static string PacketSocket(int number, string face) =>
        $"net_af_packet{number},iface={face},blocksz=65536,framesz=8192,framecnt=512,qpairs=1,qdisc_bypass=1";

    public static string Xdp(int number, string face) => $"net_af_xdp{number},iface={face},start_queue=0,queue_count=1";

    public override void KillServer() => _server.Dispose();

    public override void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _end();
    }
}
