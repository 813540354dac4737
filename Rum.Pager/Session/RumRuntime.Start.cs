using System.Net;
using Rum.Core;
using Rum.Core.Configuration;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Dpdk;
using Rum.FastPath.Drivers.Udp;
using Rum.Pager.Floor;
using Rum.Pager.Paging;

namespace Rum.Pager.Session;

// How a runtime is put together, and taken apart.
internal sealed partial class RumRuntime
{
    // A council that has just lost its leader answers again within seconds; nobody wants to wait much longer to hear that there is no silo.
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(3);

    private readonly Transports _transports;
    private CouncilSession? _session;
    private PageClient? _client;

    /// <summary>
    /// Connects to the silos and makes everything ready. <paramref name="machines"/> null: RUM_MACHINES, else the local development silo. Throws
    /// <see cref="RumException"/>; nothing is left behind then.
    /// </summary>
    public static RumRuntime Start(string? machines)
    {
        ClientSettings settings = ClientSettings.Read(ClientOverrides.Read);
        IPEndPoint[] addresses = ReadAddresses(machines ?? settings.Machines);
        var transports = new Transports(settings.Transport, settings.UdpPayload, OpenDpdk(settings));
        CouncilSession? session = null;
        Pager.Paging.Pager? pager = null;
        RumRuntime? runtime = null;
        var client = new PageClient(new PageClientOptions { ViewIsStale = () => session?.ViewIsStale() });
        try
        {
            session = CouncilSession.Open(
                () => new ControlClient(UdpDriver.Toward(addresses), [.. addresses.Select(UdpPeer.From)], new ControlClientOptions { LeaderOf = LeaderOf }),
                settings.Commands is { } gateway ? () => new ControlClient(UdpDriver.Toward([gateway]), [UdpPeer.From(gateway)]) : null,
                string.Join(", ", (IEnumerable<IPEndPoint>)addresses),
                $"{Path.GetFileName(Environment.ProcessPath)}:{Environment.ProcessId}",
                settings.Lease,
                StartPatience,
                view => client.SetRoutes(transports.RoutesFor(view)),
                () => transports.Broken,
                () =>
                {
                    // In this order: whom the heap has told so finds none of its memory any more.
                    pager?.Revoke(RumError.SessionExpired);
                    runtime?.Heap.Revoke(RumError.SessionExpired);
                });
            client.Session = session.Session;
            var options = new PagerOptions
            {
                CacheBytes = settings.CacheBytes,
                Mode = Enum.Parse<PagerMode>(settings.Pager, ignoreCase: true),
                Faults = settings.Faults,
                FaultTimeout = settings.FaultTimeout,
                Defect = settings.Defect,
                EvictionBatch = transports.GathersSends ? 16 : 1,
                Trace = transports.Trace,
                Describe = (segment, page) => Describe(session.View, segment, page),
            };
            RumError error = Paging.Pager.Start(settings.Transport == ClientSettings.Floor ? Floor() : client, options, out pager, out string why);
            if (error != RumError.None) throw new RumException(error, why);
            foreach (string line in Warnings(pager!.UserModeOnly && settings.Faults == FaultMode.Handler, pager.Moves, settings)) Console.Error.WriteLine(line);
            session.Run();
            runtime = new RumRuntime(session, pager!, settings, transports) { _session = session, _client = client };
            // Who ended the session before this line found no heap to tell.
            Interlocked.MemoryBarrier();
            if (session.IsEnded) runtime.Heap.Revoke(RumError.SessionExpired);
            return runtime;
        }
        catch
        {
            pager?.Dispose();
            session?.Close();
            session?.Dispose();
            client.Dispose();
            throw;
        }
    }

    /// <summary>Writes named segments back, gives up the rest, and disconnects. All is taken down even where a part of it fails; then the first failure is thrown.</summary>
    public void End()
    {
        RumException? first = null;
        _upkeep.Dispose();
        foreach (MappedSegment segment in _segments.All())
        {
            if (!segment.Writable || segment.Key == UInt128.Zero) continue;
            RumError error = _pager.Unmap(segment.Address, writeBack: true);
            if (error != RumError.None) first ??= new RumException(error, $"{segment.Segment} could not be written back: {Words(error)}");
        }
        _pager.Dispose();
        _session!.Close();
        _session.Dispose();
        _client!.Dispose();
        Heap.Dispose();
        if (first is not null) throw first;
    }

    /// <summary>As <see cref="End"/>, in bounded time: the process is exiting, and a silo that is away must not keep it.</summary>
    public void EndAtExit()
    {
        var ending = new Thread(() =>
        {
            try
            {
                if (ClientOverrides.ThreadsOutliveExit) EndUnderThreads();
                else End();
            }
            catch (RumException)
            {
                // Nobody is left to be told.
            }
        })
        { IsBackground = true, Name = "rum-exit" };
        ending.Start();
        ending.Join(ExitPatience);
    }

    /// <summary>
    /// The program's threads run until the process is gone, so nothing may be unmapped: named segments are written back, the pager stops, so that
    /// further faults wait for the end, and the session is closed.
    /// </summary>
    private void EndUnderThreads()
    {
        _upkeep.Dispose();
        foreach (MappedSegment segment in _segments.All())
        {
            if (segment.Writable && segment.Key != UInt128.Zero) _pager.Flush(segment.Address, segment.Bytes);
        }
        ((Pager.Paging.Pager)_pager).Freeze();
        _session!.Close();
    }

    /// <summary>What the program should know of how its memory works here, a line each.</summary>
    internal static IEnumerable<string> Warnings(bool userModeOnly, bool moves, ClientSettings settings)
    {
        if (settings.Defect != PagerDefect.None) yield return $"rum: RUM_TEST_DEFECT={settings.Defect}: updates will be lost on purpose";
        if (settings.Log < LogLevel.Warn) yield break;
        if (userModeOnly)
        {
            yield return "rum: userfaultfd is permitted here for user mode only: loads and stores work, but system calls (read, write, send) on remote memory that is not " +
                "resident fail with EFAULT; rum_pin it first, or permit /dev/userfaultfd (chmod 666 /dev/userfaultfd)";
        }
        if (!moves)
        {
            yield return "rum: pages are copied, not moved (RUM_PAGER=copy, or a kernel before 6.8): slower, and direct I/O (O_DIRECT, io_uring, RDMA) into remote memory " +
                "is only safe while it is pinned (rum_pin)";
        }
    }

    private static DpdkWays? OpenDpdk(ClientSettings settings)
    {
        if (settings.Transport != DpdkDriver.Name) return null;
        try
        {
            return new DpdkWays(DpdkOptions.Parse(settings.Dpdk));
        }
        catch (DpdkException e)
        {
            throw new RumException(RumError.BadConfiguration, $"RUM_TRANSPORT=dpdk, RUM_DPDK='{settings.Dpdk}': {e.Message}");
        }
    }

    // What the transport costs is the difference to this; the control plane is the same.
    private static FloorChannel Floor() => new(new FloorStore(HeapReservedBytes));

    private static IPEndPoint[] ReadAddresses(string machines)
    {
        if (machines.Length == 0) return [new IPEndPoint(IPAddress.Loopback, Rum.Core.Configuration.Endpoint.DefaultPort)];
        string text;
        try
        {
            text = File.ReadAllText(machines);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new RumException(RumError.BadConfiguration, $"the machines file can't be read: {failure.Message}");
        }
        if (!MachinesFile.TryParse(machines, text, out MachinesFile? file, out string error)) throw new RumException(RumError.BadConfiguration, error);
        return [.. file.Machines.Select(static machine => machine.Endpoint)];
    }

    private static PeerAddress? LeaderOf(byte[] answer) =>
        AnswerCodec.TryDecode(answer, out CouncilAnswer? decoded) && IPEndPoint.TryParse(decoded.Message, out IPEndPoint? leader) ? UdpPeer.From(leader) : null;

    private static string Describe(ClusterView view, SegmentHandle segment, long page)
    {
        ShardId shard = SegmentLayout.ShardOf(segment.FirstShard, segment.Flags, Layout.ExtentOfPage(page), Math.Max(1, view.RingShards));
        if (shard.Value >= view.Shards.Count) return $"{shard}, not known yet";
        ShardView place = view.Shards[shard.Value];
        string silos = string.Join(", ", place.Replicas.Select(replica => NameOf(view, replica.Silo)));
        return $"{shard} ({place.State}) on {(silos.Length == 0 ? "no silo" : silos)}";
    }

    private static string NameOf(ClusterView view, Incarnation life)
    {
        foreach (Member member in view.Members)
        {
            if (member.Incarnation == life) return member.Endpoint;
        }
        return life.ToString();
    }

    private static string NameOf(ClusterView view, SiloId silo)
    {
        foreach (Member member in view.Members)
        {
            if (member.Id == silo) return member.Endpoint;
        }
        return silo.ToString();
    }
}
