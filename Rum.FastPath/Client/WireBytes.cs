using Rum.FastPath.Drivers;

namespace Rum.FastPath.Client;

/// <summary>What drivers that are gone had sent and received, by their kind. Written by one thread, read by any.</summary>
internal sealed class WireBytes
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long Sent, long Received)> _kinds = [];

    /// <summary>Keeps the figures of a driver that is about to be disposed.</summary>
    public void Add(IDriver driver)
    {
        DriverCounters counters = driver.Counters;
        lock (_lock)
        {
            (long sent, long received) = _kinds.GetValueOrDefault(driver.Traits.Name);
            _kinds[driver.Traits.Name] = (sent + counters.BytesSent, received + counters.BytesReceived);
        }
    }

    /// <summary>The sums of one kind.</summary>
    public (long Sent, long Received) Of(string kind)
    {
        lock (_lock) return _kinds.GetValueOrDefault(kind);
    }
}
