using System.Net;
using Rum.Core;
using Rum.Core.Council;

namespace Rum.Silo.Council;

/// <summary>
/// The council as a silo reaches it: the seat in this process while it leads, else whoever leads, found through the machines file, what was seen of members, and the answers of those
/// that don't lead. Thread-safe.
/// </summary>
public sealed class CouncilRouter(IReadOnlyList<IPEndPoint> silos, TimeSpan patience) : ICouncil, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly RemoteCouncil _remote = new(silos, patience);
    private CouncilLeader? _here;

    /// <summary>This process's seat, once there is one.</summary>
    public CouncilLeader? Here
    {
        get => Volatile.Read(ref _here);
        set => Volatile.Write(ref _here, value);
    }

    /// <summary>Who answered last, for those that ask this silo though it has no seat.</summary>
    public IPEndPoint Leader => _remote.Address;

    /// <inheritdoc/>
    public bool LeadsHere => Here?.LeadsHere ?? false;

    /// <inheritdoc/>
    public async Task<CouncilAnswer> AskAsync(CouncilRequest request, CancellationToken cancellation)
    {
        if (Here is { LeadsHere: true } here)
        {
            CouncilAnswer answer = await here.AskAsync(request, cancellation).ConfigureAwait(false);
            if (answer.Error != RumError.NotLeader) return answer;
            // It has just ceased to lead. Its successor, if there is one yet, is found like any other.
            await Task.Delay(Pause, cancellation).ConfigureAwait(false);
        }
        return await _remote.AskAsync(request, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _remote.Dispose();
}
