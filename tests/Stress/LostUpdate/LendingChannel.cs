using Rum.Core;
using Rum.FastPath.Client;
using Rum.Pager.Floor;

namespace Rum.LostUpdate;

/// <summary>
/// A floor channel that receives into lent buffers, as a channel over UDP does: of the pages read most come in one, some in memory of its own (as those
/// joined from fragments do), and it keeps some buffers for long, so that they come back in another order. Owned by one thread.
/// </summary>
public sealed unsafe class LendingChannel(FloorChannel floor, int buffers, int seed = 1) : IPageChannel
{
    private readonly List<nint> _lent = [];
    private readonly Random _random = new(seed);

    /// <summary>Pages that came in lent buffers.</summary>
    public long Landed { get; private set; }

    /// <inheritdoc/>
    public int Capacity => floor.Capacity;

    /// <inheritdoc/>
    public int Outstanding => floor.Outstanding;

    /// <inheritdoc/>
    public int LandingBuffers => buffers;

    /// <inheritdoc/>
    public long NextDeadlineNs => floor.NextDeadlineNs;

    /// <inheritdoc/>
    public bool NeedsTimers => floor.NeedsTimers;

    /// <inheritdoc/>
    public bool TryRead(in SegmentHandle segment, long page, int count, ulong cookie) => floor.TryRead(segment, page, count, cookie);

    /// <inheritdoc/>
    public bool TryWrite(in SegmentHandle segment, long page, byte* image, ulong cookie) => floor.TryWrite(segment, page, image, cookie);

    /// <inheritdoc/>
    public bool TryTrim(in SegmentHandle segment, long page, int count, ulong cookie) => floor.TryTrim(segment, page, count, cookie);

    /// <inheritdoc/>
    public void Submit() => floor.Submit();

    /// <inheritdoc/>
    public void Lend(byte* buffer)
    {
        Invariant.Check(_lent.Count < buffers && !_lent.Contains((nint)buffer));
        _lent.Add((nint)buffer);
    }

    /// <inheritdoc/>
    public int Poll(long nowNs, Span<PageCompletion> completions)
    {
        int count = floor.Poll(nowNs, completions);
        for (int i = 0; i < count; i++)
        {
            ref PageCompletion c = ref completions[i];
            if (c.Operation != PageOperation.Read || c.Image is null || _lent.Count == 0 || _random.Next(8) == 0) continue;
            int at = _random.Next(_lent.Count);
            var buffer = (byte*)_lent[at];
            _lent.RemoveAt(at);
            new ReadOnlySpan<byte>(c.Image, Layout.PageSize).CopyTo(new Span<byte>(buffer, Layout.PageSize));
            c.Image = buffer;
            c.Lent = true;
            Landed++;
        }

        return count;
    }

    /// <inheritdoc/>
    public int WaitDescriptors(Span<int> descriptors) => floor.WaitDescriptors(descriptors);

    /// <inheritdoc/>
    public bool PrepareWait() => floor.PrepareWait();

    /// <inheritdoc/>
    public void FinishWait() => floor.FinishWait();
}
