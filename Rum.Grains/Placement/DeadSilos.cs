using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Rum.Grains.Placement;

/// <summary>
/// Tells Orleans of silos whose process is gone: whoever refuses a connection twice in a row at an address where a silo should listen isn't slow, but dead.
/// Orleans' own probes, which take the seconds that a stalled silo needs to recover, keep their defaults. One caller at a time.
/// </summary>
internal sealed partial class DeadSilos(IClusterMembershipService membership, ILocalSiloDetails self, ILogger<DeadSilos> log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);
    private const int LookedAt = 2;
    private readonly HashSet<SiloAddress> _suspects = [];

    /// <summary>Looks at the next two silos in the order of addresses, so that each is looked at by two, however many there are.</summary>
    public async Task LookAsync(CancellationToken stop)
    {
        List<ClusterMember> members = [.. membership.CurrentSnapshot.Members.Values
            .Where(m => m.Status is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping || m.SiloAddress.Equals(self.SiloAddress))
            .OrderBy(m => m.SiloAddress)];
        int here = members.FindIndex(m => m.SiloAddress.Equals(self.SiloAddress));
        for (int i = 1; here >= 0 && i <= Math.Min(LookedAt, members.Count - 1); i++)
        {
            ClusterMember member = members[(here + i) % members.Count];
            SiloAddress silo = member.SiloAddress;
            if (!await RefusesAsync(silo, stop))
            {
                _suspects.Remove(silo);
            }
            else if (!_suspects.Add(silo))
            {
                LogDead(member.Name, silo.ToString());
                if (await membership.TryKill(silo)) _suspects.Remove(silo);
            }
        }
    }

    private static async Task<bool> RefusesAsync(SiloAddress silo, CancellationToken stop)
    {
        using var socket = new Socket(silo.Endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            await socket.ConnectAsync(silo.Endpoint, patience.Token);
            return false;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    [LoggerMessage(310, LogLevel.Warning, "the process of silo {Name} is gone: nothing listens at {Address} any more")]
    private partial void LogDead(string name, string address);
}
