using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Rum.Grains.Placement;

/// <summary>
/// Tells Orleans of silos whose process is gone: whoever refuses a connection twice in a row at an address where a silo should listen isn't slow, but dead.
/// Orleans' own probes, which take the seconds that a stalled silo needs to recover, keep their defaults. One caller at a time.
/// </summary>
internal sealed partial class DeadSilos(IClusterMembershipService membership, ILocalSiloDetails self, SiloHints hints, ILogger<DeadSilos> log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);
    private const int LookedAt = 2;

    // Those that were once seen to listen: where silos are reached another way than by these addresses, a refusal says nothing.
    private readonly HashSet<SiloAddress> _seen = [];
    private readonly HashSet<SiloAddress> _suspects = [];

    /// <summary>Looks at the next two silos in the order of addresses, so that each is looked at by two, however many there are.</summary>
    public async Task LookAsync(CancellationToken stop)
    {
        List<ClusterMember> members = [.. membership.CurrentSnapshot.Members.Values
            .Where(m => m.Status == SiloStatus.Active || m.SiloAddress.Equals(self.SiloAddress))
            .OrderBy(m => m.SiloAddress)];
        int here = members.FindIndex(m => m.SiloAddress.Equals(self.SiloAddress));
        for (int i = 1; here >= 0 && i <= Math.Min(LookedAt, members.Count - 1); i++)
        {
            ClusterMember member = members[(here + i) % members.Count];
            SiloAddress silo = member.SiloAddress;
            bool? listens = await ListensAsync(silo, stop);
            if (listens == true)
            {
                _seen.Add(silo);
                _suspects.Remove(silo);
            }
            else if (listens == false && _seen.Contains(silo))
            {
                if (_suspects.Add(silo))
                {
                    await hints.DoubtAsync(member.Name);
                    continue;
                }
                LogDead(member.Name, silo.ToString());
                if (await membership.TryKill(silo)) _suspects.Remove(silo);
            }
        }
        _seen.IntersectWith(members.Select(m => m.SiloAddress));
        _suspects.IntersectWith(_seen);
    }

    // Null: can't tell.
    private static async Task<bool?> ListensAsync(SiloAddress silo, CancellationToken stop)
    {
        using var socket = new Socket(silo.Endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            await socket.ConnectAsync(silo.Endpoint, patience.Token);
            return true;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused ? false : null;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
    }

    [LoggerMessage(310, LogLevel.Warning, "the process of silo {Name} is gone: nothing listens at {Address} any more")]
    private partial void LogDead(string name, string address);
}
