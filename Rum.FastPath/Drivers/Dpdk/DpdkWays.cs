using Rum.Core;
using Rum.FastPath.Client;
using Rum.FastPath.Tracing;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>
/// A client's ports and which silo is behind which: by an answer on the port, else by the address that the silo published. A port whose peer hung up is made anew. Used by one
/// thread at a time; a driver that was given out in a route belongs to the page client from then on.
/// </summary>
public sealed class DpdkWays
{
    private const long DiscoveryNs = 200_000_000;

    private sealed class Way(DpdkPort port)
    {
        public DpdkPort? Port = port;
        public readonly string Device = port.Device;
        public readonly bool PointToPoint = port.PointToPoint;
        public DpdkDriver? Driver;
        public bool Tried, GivenOut;
        public readonly Dictionary<ulong, PeerAddress> Known = [];

        public bool Open => Driver is { IsDisposed: false, Disconnected: false };
    }

    private readonly DpdkOptions _options;
    private readonly List<Way> _ways = [];

    /// <summary>Starts DPDK and looks at its ports. Throws <see cref="DpdkException"/>.</summary>
    public DpdkWays(DpdkOptions options)
    {
        _options = options;
        Trace = options.OpenTrace();
        Eal.Start(options.Eal);
        foreach (ushort id in Eal.Ports()) _ways.Add(new Way(DpdkPort.Look(id)));
        if (_ways.Count == 0)
        {
            throw new DpdkException(
                $"DPDK started with '{string.Join(' ', Eal.Arguments)}' and has no port: name a device (--vdev=net_af_packet0,iface=eth1,...) or bind a card to vfio-pci. See 'rum dpdk check'.");
        }
    }

    /// <summary>Where the moments of a fault are noted, or null.</summary>
    public StageTrace? Trace { get; }

    /// <summary>Whether a port's peer hung up, so that routes must be made again.</summary>
    public bool Broken => _ways.Exists(static way => way.GivenOut && !way.Open);

    /// <summary>Whether a send is a system call at one of the ports.</summary>
    public bool SendCostsSystemCall => _ways.Exists(static way => way.Port?.KernelBacked ?? false);

    /// <summary>Opens what isn't open, and learns who is there. <paramref name="silos"/> is how many lives there are to find.</summary>
    public void Refresh(int silos)
    {
        foreach (Way way in _ways)
        {
            // Of a connection nobody has yet, nobody knows whether it still leads anywhere: its silo may have ended since, or not have answered while it started.
            if (way.Open && (way.GivenOut || !way.PointToPoint)) continue;
            way.Known.Clear();
            try
            {
                if (!way.Open && !TryOpen(way)) continue;
                DpdkDiscovery.Ask(way.Driver!, way.PointToPoint ? 1 : silos, DiscoveryNs, way.Known);
            }
            catch (DpdkException)
            {
                // Nobody listens there now; it is tried again.
            }
        }
    }

    /// <summary>The way to a silo, or null while there is none.</summary>
    public SiloRoute? RouteTo(Incarnation life, string published)
    {
        foreach (Way way in _ways)
        {
            if (way.Open && way.Known.TryGetValue(life.Value, out PeerAddress peer)) return Give(way, life, peer);
        }
        if (!DpdkPeer.TryParse(published, out PeerAddress address)) return null;
        foreach (Way way in _ways)
        {
            if (way.Open && !way.PointToPoint) return Give(way, life, address);
        }
        return null;
    }

    private static SiloRoute Give(Way way, Incarnation life, PeerAddress peer)
    {
        way.GivenOut = true;
        return new SiloRoute(life, way.Driver!, peer);
    }

    private bool TryOpen(Way way)
    {
        if (way.Driver is { IsDisposed: false } old)
        {
            // The page client ends it when it takes over routes without it.
            if (way.GivenOut) return false;
            old.Dispose();
        }
        // A connection that was lost, also while it was being made, stays broken.
        if (way.PointToPoint && way.Tried)
        {
            way.Port?.Detach();
            way.Port = null;
            way.Port = DpdkPort.Attach(way.Device);
        }
        way.Tried = true;
        way.Driver = DpdkDriver.Open(way.Port!, _options);
        way.GivenOut = false;
        return true;
    }
}
