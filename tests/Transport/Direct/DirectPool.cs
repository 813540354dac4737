using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Direct;
using Rum.FastPath.Server;

namespace Rum.Transport.Tests.Direct;

/// <summary>A small pool whose memory is shown, and a reader of it; both may be used by different threads.</summary>
internal sealed unsafe class DirectPool : IDisposable
{
    public const uint Generation = 7;
    public static readonly Incarnation Life = new(0x1000);

    public DirectPool(DirectDefect defect = DirectDefect.None)
    {
        Pool = new PagePool(new PagePoolOptions { CapacityBytes = 256 * Layout.PageSize, ReserveFrames = 64, SegmentsMax = 64, ExtentsMax = 64, DirectReads = true });
        Assert.True(Pool.Window is not null, Pool.WhyNoWindow);
        Pool.Window.Serve(Life);
        SetView(1, true);
        DirectReader? reader = DirectReader.TryOpen(Pool.Window.ReadOnlyDescriptor, out string whyNot, defect);
        Assert.True(reader is not null, whyNot);
        Reader = reader;
    }

    public PagePool Pool { get; }

    public DirectReader Reader { get; }

    /// <summary>What frames under the views made here carry.</summary>
    public static uint FrameGeneration { get; } = View(1, true, ReplicaState.InSync).FrameGeneration;

    public void SetView(uint epoch, bool holds, ReplicaState state = ReplicaState.InSync) =>
        Pool.Window!.SetView(new ServerView(View(epoch, holds, state), Life, _ => null));

    public PageStatus Write(ulong segment, long page, ulong sequence, byte fill)
    {
        byte* image = stackalloc byte[Layout.PageSize];
        new Span<byte>(image, Layout.PageSize).Fill(fill);
        _ = Pool.Fence(new SegmentId(segment), 1, false, out _);
        return Pool.Write(new SegmentId(segment), page, new PageVersion(1, sequence), image, out _);
    }

    /// <summary>What was put off is done: frames that fell free are free.</summary>
    public void Settle()
    {
        while (Pool.DoChores())
        {
        }
    }

    public void Dispose()
    {
        Reader.Dispose();
        Pool.Dispose();
    }

    private static ClusterView View(uint epoch, bool holds, ReplicaState state)
    {
        var member = new Member(new SiloId(1), "silo", Life, "", "", "", "", "", "", 1 << 30, true);
        Replica[] replicas = [new Replica(member.Id, holds ? Life : new Incarnation(9), state)];
        return new ClusterView(Guid.Empty, Generation, epoch, [member], [new ShardView(epoch, ShardState.Served, replicas)], 1);
    }
}
