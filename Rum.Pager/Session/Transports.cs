using System.Net;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Dpdk;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Linux;
using Rum.FastPath.Tracing;

namespace Rum.Pager.Session;

/// <summary>
/// The ways to the silos: shared memory where the silo is on this machine and lets us in, else UDP over one socket. Makes the routes of each view; a way
/// that works is kept. Used by one thread at a time (first the opener, then the control thread).
/// </summary>
internal sealed class Transports(string wish, int udpPayload, DpdkWays? dpdk = null)
{
    private readonly Dictionary<Incarnation, SharedMemoryClientDriver> _shared = [];
    private UdpDriver? _udp;
    private bool _unreached;

    /// <summary>Whether any silo of the last routes is reached by UDP.</summary>
    public bool UsesUdp { get; private set; }

    /// <summary>Whether sends should be gathered, because each burst is a system call.</summary>
    public bool GathersSends => UsesUdp || (dpdk?.SendCostsSystemCall ?? false);

    /// <summary>Where the moments of a fault are noted, or null.</summary>
    public StageTrace? Trace => dpdk?.Trace;

    /// <summary>"dpdk", "shm", "udp" or "shm+udp", as of the last routes.</summary>
    public string Names { get; private set; } = "";

    /// <summary>Whether a silo hung up on a way of the last routes: they must be made again.</summary>
    public bool Broken => _unreached || (dpdk?.Broken ?? false) || _shared.Values.Any(static driver => driver.Disconnected);

    /// <summary>The routes for a view; the page client disposes of drivers that are no longer in them.</summary>
    public ClientRoutes RoutesFor(ClusterView view)
    {
        var routes = new List<SiloRoute>();
        bool shares = false;
        UsesUdp = _unreached = false;
        dpdk?.Refresh(view.Members.Count(static member => member.State != MemberState.Left));
        foreach (Member member in view.Members)
        {
            if (member.State == MemberState.Left) continue;
            if (dpdk is not null)
            {
                if (dpdk.RouteTo(member.Incarnation, member.Mac) is { } route) routes.Add(route);
                else _unreached = true;
                continue;
            }
            if (TryShare(member) is { } shared)
            {
                routes.Add(new SiloRoute(member.Incarnation, shared, SharedMemoryClientDriver.Silo));
                shares = true;
            }
            else if (wish != "shm" && IPEndPoint.TryParse(member.Endpoint, out IPEndPoint? endpoint))
            {
                _udp ??= UdpDriver.Toward([endpoint], new UdpDriverOptions { MaxPayload = udpPayload });
                routes.Add(new SiloRoute(member.Incarnation, _udp, UdpPeer.From(endpoint)));
                UsesUdp = true;
            }
            else
            {
                _unreached = true;
            }
        }
        foreach (Incarnation gone in _shared.Keys.Where(life => !routes.Exists(route => route.Incarnation == life)).ToArray()) _shared.Remove(gone);
        if (!UsesUdp) _udp = null;
        Names = dpdk is not null ? DpdkDriver.Name : (shares, UsesUdp) switch { (true, true) => "shm+udp", (true, false) => "shm", _ => "udp" };
        return new ClientRoutes(new ShardMap(view), routes);
    }

    private SharedMemoryClientDriver? TryShare(Member member)
    {
        if (wish == "udp" || member.SharedMemory.Length == 0 || member.HostId != BootId.Value) return null;
        if (_shared.TryGetValue(member.Incarnation, out SharedMemoryClientDriver? known) && !known.Disconnected) return known;
        try
        {
            SharedMemoryClientDriver driver = SharedMemoryClientDriver.Connect(member.SharedMemory);
            _shared[member.Incarnation] = driver;
            return driver;
        }
        catch (IOException)
        {
            // Another container's /tmp, another user's silo, a silo that just ended: UDP reaches it or nothing does.
            _shared.Remove(member.Incarnation);
            return null;
        }
    }
}
