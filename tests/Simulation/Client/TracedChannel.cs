using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Simulation.Client;

/// <summary>The page client with what is asked of it and what it answers in the trace; broken clients are made from it.</summary>
internal unsafe class TracedChannel(World world, string who, PageClient inner) : IPageChannel
{
    public int Capacity => inner.Capacity;

    public int Outstanding => inner.Outstanding;

    public int LandingBuffers => inner.LandingBuffers;

    public long NextDeadlineNs => inner.NextDeadlineNs;

    public bool NeedsTimers => inner.NeedsTimers;

    public bool TryRead(in SegmentHandle segment, long page, int count, ulong cookie)
    {
        bool taken = inner.TryRead(segment, page, count, cookie);
        if (taken) world.Note(who, "reads page {0} and {1} more", page, count - 1);
        return taken;
    }

    public virtual bool TryWrite(in SegmentHandle segment, long page, byte* image, ulong cookie)
    {
        bool taken = inner.TryWrite(segment, page, image, cookie);
        if (taken) world.Note(who, "writes page {0} of segment {1}", page, (long)segment.Segment.Value);
        return taken;
    }

    public bool TryTrim(in SegmentHandle segment, long page, int count, ulong cookie)
    {
        bool taken = inner.TryTrim(segment, page, count, cookie);
        if (taken) world.Note(who, "trims page {0} and {1} more", page, count - 1);
        return taken;
    }

    public bool TakesOver => inner.TakesOver;

    public bool TryTakeOver(in SegmentHandle segment, long pages, ulong cookie)
    {
        bool taken = inner.TryTakeOver(segment, pages, cookie);
        if (taken) world.Note(who, "takes over segment {0}", (long)segment.Segment.Value);
        return taken;
    }

    public Incarnation TakeOverWaitsFor(ulong cookie) => inner.TakeOverWaitsFor(cookie);

    public void Settle(in SegmentHandle segment) => inner.Settle(segment);

    public int Cancel(ulong cookie) => inner.Cancel(cookie);

    public void Submit() => inner.Submit();

    public virtual int Poll(long nowNs, Span<PageCompletion> completions)
    {
        int count = inner.Poll(nowNs, completions);
        foreach (ref readonly PageCompletion c in completions[..count])
        {
            string what = c.Operation switch
            {
                PageOperation.Read => "has read page {0}: status {1}",
                PageOperation.Write => "has written page {0}: status {1}",
                PageOperation.TakeOver => "has taken over: {0}, status {1}",
                _ => "has trimmed from page {0} on: status {1}",
            };
            world.Note(who, what, c.Page, (long)c.Status);
        }
        return count;
    }

    public void Lend(byte* buffer) => inner.Lend(buffer);

    public int WaitDescriptors(Span<int> descriptors) => inner.WaitDescriptors(descriptors);

    public bool PrepareWait() => inner.PrepareWait();

    public void FinishWait() => inner.FinishWait();
}
