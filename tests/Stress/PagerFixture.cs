using System.Collections.Concurrent;
using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager;
using Rum.Pager.Floor;
using PagerOfProcess = Rum.Pager.Paging.Pager;

namespace Rum.Stress.Tests;

/// <summary>A pager over the floor channel, in this process.</summary>
internal sealed class PagerFixture : IDisposable
{
    /// <summary>How long a loaded machine may take for what takes none.</summary>
    internal const int PatienceMs = 60_000;

    private ulong _nextSegment;

    internal PagerFixture(PagerMode mode, long cacheBytes = 1 << 20, long delayNs = 0, PagerOptions? options = null)
    {
        Store = new FloorStore();
        Channel = new FloorChannel(Store, delayNs: delayNs);
        options = (options ?? new PagerOptions()) with { CacheBytes = cacheBytes, Mode = mode };
        options = options with { Log = options.Log ?? (text => Log.Enqueue(text)) };
        RumError error = PagerOfProcess.Start(Channel, options, out PagerOfProcess? pager, out string why);
        if (error == RumError.UserfaultfdUnavailable) Assert.Skip(why);
        Assert.Equal(RumError.None, error);
        Pager = pager!;
    }

    /// <summary>Written by the pager's thread.</summary>
    internal ConcurrentQueue<string> Log { get; } = [];

    internal FloorStore Store { get; }

    internal FloorChannel Channel { get; }

    internal PagerOfProcess Pager { get; }

    internal SegmentHandle Segment(long bytes)
    {
        SegmentId id = new(++_nextSegment);
        Store.Add(id, bytes);
        return new SegmentHandle(id, 1, new ShardId(0), SegmentFlags.None);
    }

    internal nint Map(long bytes, bool fresh = true, bool readOnly = false, SegmentHandle? segment = null, long reserved = 0)
    {
        RumError error = Pager.Map(new RegionOptions(segment ?? Segment(Math.Max(bytes, reserved)), Math.Max(bytes, reserved), bytes, readOnly, fresh), out nint address);
        Assert.Equal(RumError.None, error);
        return address;
    }

    public void Dispose()
    {
        Pager.Dispose();
        Channel.Dispose();
    }
}
