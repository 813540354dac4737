using System.Net;
using Rum.Core.Council;

namespace Rum.Silo.Council;

/// <summary>The council of another silo.</summary>
public sealed class RemoteCouncil(IPEndPoint address, TimeSpan patience) : ICouncil, IDisposable
{
    /// <summary>Where it is.</summary>
    public IPEndPoint Address => address;

    /// <inheritdoc/>
    public Task<CouncilAnswer> AskAsync(CouncilRequest request, CancellationToken cancellation) => throw new CouncilUnreachableException($"no {patience}");

    /// <inheritdoc/>
    public void Dispose() { }
}
