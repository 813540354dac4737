using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Rum.Hosting;

/// <summary>Whether a client is connected and its session lives.</summary>
internal sealed class RumClientHealthCheck(RumClientConnection connection) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        HealthStatus failure = context.Registration.FailureStatus;
        if (connection.Current is not { } client) return Task.FromResult(new HealthCheckResult(failure, "RUM is not connected."));
        if (client.SessionLost.IsCancellationRequested) return Task.FromResult(new HealthCheckResult(failure, "The silos ended the RUM session: connect anew."));
        if (!client.IsConnected) return Task.FromResult(new HealthCheckResult(failure, "The RUM client was disposed."));
        RumStatistics statistics = client.GetStatistics();
        return Task.FromResult(HealthCheckResult.Healthy("RUM is connected.", new Dictionary<string, object>
        {
            ["residentBytes"] = statistics.ResidentBytes,
            ["cacheBytes"] = statistics.CacheBytes,
            ["faultsWaiting"] = statistics.FaultsWaiting,
        }));
    }
}
