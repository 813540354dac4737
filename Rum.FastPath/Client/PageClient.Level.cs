using System.Numerics;
using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Client;

/// <content>
/// Taking a segment over, second part: what only some replicas may have is read where it is newest and written to all under the new token, by the requests that
/// the program's own pages travel by. Until all of it is done nothing of the segment is confirmed, so that whoever comes next finds it again.
/// </content>
public sealed unsafe partial class PageClient
{
    private const int LevelsMax = 32;

    private NativeRegion? _levelMemory;
    private uint _levelBuffers;   // a bit per page of it that is in use

    /// <summary>Begins what there is room for. True: nothing is left to do.</summary>
    private bool Level(TakeOver takeOver)
    {
        while (takeOver.Next < takeOver.Plan.Pieces.Count && _free.First >= 0)
        {
            LevelPlan.Piece piece = takeOver.Plan.Pieces[takeOver.Next];
            byte* buffer = null;
            if (takeOver.UnderWay == LevelsMax || (!piece.Zero && !TryTakeBuffer(out buffer))) break;
            int index = Begin(takeOver.Segment, piece.Zero ? RequestKind.Trim : RequestKind.Read, piece.Page, piece.Count, takeOver.Cookie);
            _slots[index].TakesOver = _slots[index].Unlevel = true;
            _slots[index].From = piece.From;
            _slots[index].Image = buffer;
            takeOver.Next++;
            takeOver.UnderWay++;
            if (piece.Zero) BeginChange(index, takeOver.Segment);
            else Route(index);
        }
        if (takeOver.Next < takeOver.Plan.Pieces.Count && takeOver.UnderWay == 0) takeOver.DueNs = Now + _options.ParkNs;
        return takeOver.Next == takeOver.Plan.Pieces.Count && takeOver.UnderWay == 0;
    }

    /// <summary>A page to be levelled has come, or a part of it: whole, it goes to all replicas.</summary>
    private void TakeUnlevel(int index, in RxFrame frame, FrameHeader* header)
    {
        RequestSlot* slot = _slots + index;
        byte* image = null, buffer = slot->Image;
        if (header->Encoding != PayloadEncoding.Zero)
        {
            image = frame.Payload;
            if (header->FragmentCount > 1)
            {
                int whole = _assemblies.Add(ref slot->FirstAssembly, header, frame.Payload, ref _counters);
                if (whole < 0) return;
                image = _assemblies.Lend(whole);
            }
            Buffer.MemoryCopy(image, buffer, Layout.PageSize, Layout.PageSize);
        }
        _assemblies.Remove(ref slot->FirstAssembly, header->Page);
        ulong cookie = slot->Cookie;
        long page = (long)header->Page;
        End(index);
        TakeOver? takeOver = FindTakeOver(cookie);
        if (takeOver == null)
        {
            GiveBuffer(buffer);
            return;
        }
        if (image == null) GiveBuffer(buffer);
        // The slot that has just become free is there for it.
        int write = Begin(takeOver.Segment, RequestKind.Write, page, 1, cookie);
        _slots[write].TakesOver = _slots[write].Unlevel = true;
        _slots[write].Image = image == null ? null : buffer;
        BeginChange(write, takeOver.Segment);
    }

    private void Levelled(int index)
    {
        RequestSlot* slot = _slots + index;
        TakeOver? takeOver = FindTakeOver(slot->Cookie);
        if (takeOver != null)
        {
            _counters.PagesLevelled += slot->Count;
            takeOver.UnderWay--;
            takeOver.DueNs = 0;
        }
        GiveBuffer(slot->Image);
        End(index);
    }

    /// <summary>A page of a lost shard has no replicas that could differ; whatever else keeps a page from being levelled ends the take-over.</summary>
    private void NotLevelled(int index)
    {
        RequestSlot* slot = _slots + index;
        TakeOver? takeOver = FindTakeOver(slot->Cookie);
        if (takeOver != null)
        {
            takeOver.UnderWay--;
            takeOver.DueNs = 0;
            if (slot->Failure != PageStatus.Lost) takeOver.Failure = slot->Failure;
        }
        GiveBuffer(slot->Image);
        slot->Pending = 0;
        End(index);
    }

    private bool TryTakeBuffer(out byte* buffer)
    {
        buffer = null;
        if (_levelBuffers == uint.MaxValue) return false;
        _levelMemory ??= new NativeRegion(LevelsMax * Layout.PageSize);
        int free = BitOperations.TrailingZeroCount(~_levelBuffers);
        _levelBuffers |= 1u << free;
        buffer = _levelMemory.Start + (free * Layout.PageSize);
        return true;
    }

    private void GiveBuffer(byte* buffer)
    {
        if (buffer != null) _levelBuffers &= ~(1u << (int)((buffer - _levelMemory!.Start) / Layout.PageSize));
    }
}
