using Rum.Core;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Server;

/// <summary>
/// Page frames in native memory, in blocks of 2 MiB so that huge pages fit and whole blocks can go back to the kernel. A frame is a number from 1; 0 is
/// none. Owned by one thread.
/// </summary>
/// <remarks>
/// Invariant: a block is in exactly one state: Cold (no memory, on the cold list), Idle (memory, all frames free, on the idle list),
/// Partial (some frames free, on the partial list), Full (on no list).
/// </remarks>
internal sealed unsafe class FrameArena : IDisposable
{
    public const int FramesPerBlock = 512;
    private const long BlockBytes = (long)FramesPerBlock * Layout.PageSize;
    private const int None = -1;
    private const int BlocksAtOnce = 8;
    private const ushort EndOfList = ushort.MaxValue;

    private enum BlockState : byte { Cold, Idle, Partial, Full }

    private struct Block
    {
        public int Next, Previous;
        public ushort FirstFree;   // chain through _links
        public ushort Untouched;   // frames from here on were never given out since the block was empty
        public ushort Used;
        public BlockState State;
    }

    private readonly NativeRegion _memory;
    private readonly NativeRegion _blockMemory;
    private readonly NativeRegion _linkMemory;
    private readonly Block* _blocks;
    private readonly ushort* _links;
    private readonly int _blockCount;
    private readonly int _idleHigh, _idleLow;
    private int _cold, _idle, _partial;
    private int _idleCount;
    private bool _givingBack, _collapses;

    /// <summary>An arena of at least so many frames, in memory of its own, or in <paramref name="memory"/>, which must have <see cref="FramesFor"/> of them.</summary>
    public FrameArena(long frames, NativeRegion? memory = null)
    {
        _blockCount = checked((int)((frames + FramesPerBlock - 1) / FramesPerBlock));
        Frames = FramesFor(frames);
        _memory = memory ?? new NativeRegion(_blockCount * BlockBytes, BlockBytes);
        Invariant.Check(_memory.Bytes == _blockCount * BlockBytes);
        HugePages = _memory.UseHugePages();
        _collapses = _memory.IsShared;
        _blockMemory = new NativeRegion((long)_blockCount * sizeof(Block));
        _linkMemory = new NativeRegion(Frames * sizeof(ushort));
        _blocks = (Block*)_blockMemory.Start;
        _links = (ushort*)_linkMemory.Start;
        _cold = _idle = _partial = None;
        for (int i = _blockCount - 1; i >= 0; i--)
        {
            Push(ref _cold, i);
            _blocks[i].State = BlockState.Cold;
        }
        Free = Frames;
        _idleHigh = Math.Max(16, _blockCount / 8);
        _idleLow = _idleHigh / 2;
    }

    /// <summary>Frames in all.</summary>
    public long Frames { get; }

    /// <summary>How many frames an arena has that was asked for so many.</summary>
    public static long FramesFor(long frames) => (frames + FramesPerBlock - 1) / FramesPerBlock * FramesPerBlock;

    /// <summary>Frames not given out.</summary>
    public long Free { get; private set; }

    /// <summary>Bytes of blocks that hold memory.</summary>
    public long ResidentBytes { get; private set; }

    /// <summary>Whether the kernel was willing to use huge pages.</summary>
    public bool HugePages { get; }

    public byte* Address(uint frame) => _memory.Start + ((long)(frame - 1) << Layout.PageShift);

    /// <summary>The frame at an address that <see cref="Address"/> gave.</summary>
    public uint FrameAt(byte* address) => (uint)((address - _memory.Start) >> Layout.PageShift) + 1;

    /// <summary>A frame with undefined contents, or 0 when none is left.</summary>
    public uint Allocate()
    {
        int b = _partial;
        if (b == None && (b = Activate()) == None) return 0;
        Block* block = _blocks + b;
        uint index;
        if (block->FirstFree != EndOfList)
        {
            index = block->FirstFree;
            block->FirstFree = _links[((long)b * FramesPerBlock) + index];
        }
        else
        {
            index = block->Untouched++;
        }
        if (++block->Used == FramesPerBlock)
        {
            Unlink(ref _partial, b);
            block->State = BlockState.Full;
        }
        Free--;
        return (uint)((b * FramesPerBlock) + index + 1);
    }

    public void Release(uint frame)
    {
        uint number = frame - 1;
        int b = (int)(number / FramesPerBlock);
        Block* block = _blocks + b;
        Invariant.Check(number < Frames && block->Used > 0);
        ushort index = (ushort)(number % FramesPerBlock);
        _links[number] = block->FirstFree;
        block->FirstFree = index;
        Free++;
        if (block->State == BlockState.Full)
        {
            block->State = BlockState.Partial;
            Push(ref _partial, b);
        }
        if (--block->Used != 0) return;
        Unlink(ref _partial, b);
        Push(ref _idle, b);
        block->State = BlockState.Idle;
        _idleCount++;
    }

    /// <summary>
    /// Gives one idle block back to the kernel when there are many; false: nothing to do. Once begun it goes on to the low mark, so that
    /// a load that swings around the high mark doesn't pay for the same memory again and again.
    /// </summary>
    public bool GiveBack()
    {
        if (_idleCount > _idleHigh) _givingBack = true;
        if (_idleCount <= _idleLow) _givingBack = false;
        if (!_givingBack) return false;
        int b = _idle;
        Unlink(ref _idle, b);
        _idleCount--;
        _memory.Discard(b * BlockBytes, BlockBytes);
        ResidentBytes -= BlockBytes;
        _blocks[b].State = BlockState.Cold;
        Push(ref _cold, b);
        return true;
    }

    public void Dispose()
    {
        _memory.Dispose();
        _blockMemory.Dispose();
        _linkMemory.Dispose();
    }

    private int Activate()
    {
        int b = _idle;
        if (b != None)
        {
            Unlink(ref _idle, b);
            _idleCount--;
        }
        else
        {
            b = _cold;
            if (b == None) return None;
            Unlink(ref _cold, b);
            ResidentBytes += BlockBytes;
            if (_collapses) WarmUp(b);
        }
        Block* block = _blocks + b;
        block->State = BlockState.Partial;
        block->FirstFree = EndOfList;
        block->Untouched = 0;
        Push(ref _partial, b);
        return b;
    }

    /// <summary>Huge pages for a block that was cold, and for those behind it: the call waits for all processors each time.</summary>
    private void WarmUp(int first)
    {
        int count = 1;
        for (; count < BlocksAtOnce && first + count < _blockCount && _blocks[first + count].State == BlockState.Cold; count++)
        {
            int b = first + count;
            Unlink(ref _cold, b);
            Push(ref _idle, b);
            _blocks[b].State = BlockState.Idle;
            _idleCount++;
            ResidentBytes += BlockBytes;
        }
        _collapses = _memory.Collapse(first * BlockBytes, count * BlockBytes);
    }

    private void Push(ref int head, int b)
    {
        _blocks[b].Previous = None;
        _blocks[b].Next = head;
        if (head != None) _blocks[head].Previous = b;
        head = b;
    }

    private void Unlink(ref int head, int b)
    {
        Block* block = _blocks + b;
        if (block->Previous != None) _blocks[block->Previous].Next = block->Next; else head = block->Next;
        if (block->Next != None) _blocks[block->Next].Previous = block->Previous;
    }
}
