using Rum.Core;
using Rum.FastPath.Direct;
using Rum.FastPath.Linux;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Server;

/// <summary>
/// The pages of one silo and the rules by which a replica takes a write. Frames are immutable: a write fills a fresh frame and swaps it in, so that whoever
/// still sends the old one sends a whole page. All tables are native memory of fixed reserved size; after construction nothing is
/// allocated on the managed heap. Owned by one thread.
/// </summary>
public sealed unsafe partial class PagePool : IDisposable
{
    private const long TableBytes = WindowLayout.TableBytes;

    private readonly FrameArena _arena;
    private readonly NativeRegion _limboMemory;
    private readonly uint* _limbo;
    private readonly int _reserveFrames;
    private long _limboCount;
    private int _lent;
    private readonly bool _forgetsTrims, _forgetsTokens;
    private bool _holdFrames, _disposed;
    private long _pagesStored, _sparsePagesStored, _tables;
    private int _segmentsLive, _extentsUsed;

    /// <summary>Reserves address space for everything.</summary>
    public PagePool(PagePoolOptions options)
    {
        Invariant.Check(sizeof(PageEntry) * (long)Layout.PagesPerExtent == TableBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(options.CapacityBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.SegmentsMax);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.ExtentsMax);
        _forgetsTrims = options.Defect == ReplicaDefect.TrimForgetsItsVersion;
        _ignoresCuts = options.Defect == ReplicaDefect.CutKeepsNothing;
        _forgetsTokens = options.Defect == ReplicaDefect.LearnerTakesNoToken;
        _reserveFrames = Math.Max(1, options.ReserveFrames);
        CapacityPages = options.CapacityBytes >> Layout.PageShift;
        SparsePagesMax = CapacityPages;
        Window = options.DirectReads ? OpenWindow(FrameArena.FramesFor(CapacityPages + _reserveFrames), options.ExtentsMax) : null;
        _arena = new FrameArena(CapacityPages + _reserveFrames, Window?.Frames);
        _limboMemory = new NativeRegion(_arena.Frames * sizeof(uint));
        _limbo = (uint*)_limboMemory.Start;
        _segmentMax = options.SegmentsMax;
        _extentMax = options.ExtentsMax;
        CreateSegments();
        CreateExtents();
    }

    /// <summary>Where clients of this host read pages without asking; null: nowhere.</summary>
    public PageWindow? Window { get; }

    /// <summary>Why there is no <see cref="Window"/> though one was wanted; null: there is one, or none was.</summary>
    public string? WhyNoWindow { get; private set; }

    /// <summary>Pages that may be charged.</summary>
    public long CapacityPages { get; }

    /// <summary>
    /// How many pages sparse segments may hold: the capacity less what is charged. The owner of the ledger sets it as charges change.
    /// Lowering it below what is stored takes nothing away.
    /// </summary>
    public long SparsePagesMax { get; set; }

    /// <summary>Whether a learner takes over no tokens: a defect for tests.</summary>
    internal bool ForgetsTokens => _forgetsTokens;

    /// <summary>What is held now.</summary>
    public PagePoolStatistics Statistics => new(
        _pagesStored, _sparsePagesStored, FramesFree + _limboCount, _arena.Frames, _arena.ResidentBytes, _tables * TableBytes, _segmentsLive, _extentsUsed,
        _arena.HugePages);

    /// <summary>
    /// While set, frames that fall free are kept as they are, because a driver may still hold a pointer to them. Cleared: they are free.
    /// </summary>
    internal bool HoldFrames
    {
        get => _holdFrames;
        set
        {
            _holdFrames = value;
            if (value) return;
            while (_limboCount > 0) _arena.Release(_limbo[--_limboCount]);
        }
    }

    /// <summary>Frames that are only kept because of <see cref="HoldFrames"/>.</summary>
    internal long FramesHeld => _limboCount;

    /// <summary>Does a bounded piece of the work that was put off (freeing dropped pages, giving memory back). False: there is none.</summary>
    public bool DoChores()
    {
        if (_holdFrames) return false;
        return CollectGarbage() || ThawOne() || _arena.GiveBack();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Window?.Hide();
        DisposeCuts();
        DisposeExtents();
        DisposeSegments();
        _limboMemory.Dispose();
        _arena.Dispose();
        Window?.Dispose();
    }

    /// <summary>A frame to fill, or 0 when there is none.</summary>
    internal uint TakeFrame()
    {
        uint frame = _arena.Allocate();
        // Where a driver may still hold pointers what falls free is free only after this step; the sender asks again.
        for (int tries = 0; frame == 0 && tries < 8 && GiveUpCut(); tries++) frame = _arena.Allocate();
        return frame;
    }

    /// <summary>The most frames that a driver may be lent: a small part of the reserve.</summary>
    internal int LentFramesMax => _reserveFrames / 16;

    /// <summary>Frames that hold nothing: those lent to drivers are as good as free.</summary>
    private long FramesFree => _arena.Free + _lent;

    /// <summary>A frame for a driver to receive into, or 0. It counts as free until <see cref="TakeBack"/>.</summary>
    internal uint LendFrame()
    {
        uint frame = _arena.Allocate();
        if (frame != 0) _lent++;
        return frame;
    }

    /// <summary>Ends a loan: the frame is free again, or what landed in it is the caller's.</summary>
    internal void TakeBack(uint frame, bool unused)
    {
        _lent--;
        if (unused) _arena.Release(frame);
    }

    internal uint FrameAt(byte* address) => _arena.FrameAt(address);

    internal byte* Address(uint frame) => _arena.Address(frame);

    internal void ReturnFrame(uint frame)
    {
        if (_holdFrames) _limbo[_limboCount++] = frame; else _arena.Release(frame);
    }

    private PageWindow? OpenWindow(long frames, int extents)
    {
        try
        {
            return new PageWindow(frames, extents);
        }
        catch (ErrnoException e)
        {
            WhyNoWindow = e.Message;
            return null;
        }
    }

    private static int PowerOfTwoAtLeast(int value) => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)value);
}
