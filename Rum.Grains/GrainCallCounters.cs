using Rum.Silo;

namespace Rum.Grains;

/// <summary>Calls that programs' requests became, by method: rum.grains.segment.create and so on in /stats and in the meter "Rum.Silo". Any thread.</summary>
public sealed class GrainCallCounters
{
    private readonly long[] _calls = new long[Enum.GetValues<GrainCall>().Length];

    /// <summary>Publishes them among a silo's counters. Once for each silo.</summary>
    public void PublishTo(SiloMetrics metrics)
    {
        metrics.Counter("rum.orleans.silos", "{silo}", () => ActiveSilos);
        foreach (GrainCall call in Enum.GetValues<GrainCall>())
        {
            string name = call.ToString();
            int split = 1 + name.AsSpan(1).IndexOfAnyInRange('A', 'Z');
            metrics.Counter($"rum.grains.{name[..split].ToLowerInvariant()}.{name[split..].ToLowerInvariant()}", "{call}", () => Interlocked.Read(ref _calls[(int)call]));
        }
    }

    /// <summary>Active silos in Orleans' membership, as this silo last saw it; 0 before it joined.</summary>
    public int ActiveSilos { get; internal set; }

    internal void Count(GrainCall call) => Interlocked.Increment(ref _calls[(int)call]);
}

/// <summary>The methods that are counted: the grain, then the method.</summary>
internal enum GrainCall
{
    SegmentCreate,
    SegmentOpen,
    SegmentClose,
    SegmentResize,
    SegmentCharge,
    SegmentFree,
    SessionOpen,
    SessionAllocate,
    SessionClose,
    SessionExpire,
    ClusterRenew,
}
