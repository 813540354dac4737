namespace Rum.Core.Sessions;

/// <summary>
/// Time as an observer may count it: only while it was listening. It looks at least every <see cref="LookNs"/>; what passes beyond twice that between two looks passed while it
/// stood still itself, and says nothing about others. So a machine without a free core, or a process that was stopped, misses nobody. One thread, or one lock.
/// </summary>
public sealed class ObservedClock
{
    /// <summary>Between two looks of an observer that is not kept from it.</summary>
    public const long LookNs = 100_000_000;

    private const long GapNsMax = 2 * LookNs;

    private long _lookedNs = long.MinValue;

    /// <summary>Observed nanoseconds.</summary>
    public long NowNs { get; private set; }

    /// <summary>The observer listens, now.</summary>
    public void Look(long nowNs)
    {
        if (_lookedNs != long.MinValue) NowNs += Math.Clamp(nowNs - _lookedNs, 0, GapNsMax);
        _lookedNs = Math.Max(_lookedNs, nowNs);
    }
}
