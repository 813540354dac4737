using System.Numerics;
using Rum.Core;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Client;

/// <content>
/// Reads out of the memory of a silo of this host. The silo's processor does nothing for them and knows nothing of them. Whatever stands in the way (the page is changing, the silo doesn't hold
/// the shard in sync in the very epoch of the request, it hung up), the read goes by message like any other.
/// </content>
public sealed unsafe partial class PageClient
{
    // Each has its place in the memory that the completions of a poll point to.
    private const int DirectPagesPerPoll = 64;

    // So many pages are read between two looks, each a system call, whether the silo still lives.
    private const int PagesPerLook = 32;

    // A silo that is woken for a written page takes a read along for less than it costs to wake it later for the page alone; on one CPU that is half of the time.
    private const int AsksAfterWrite = 4;

    private readonly NativeRegion _directMemory;
    private bool _directBegun;

    /// <summary>True: the read, which has its peer and whose token (if any) is recorded there, will be tried at the next poll.</summary>
    private bool BeginDirect(int index)
    {
        RequestSlot* slot = _slots + index;
        ClientPeer peer = _peers[slot->Peer]!;
        // A successor that looks for what only one silo has asks that silo.
        if (slot->Kind != RequestKind.Read || slot->TakesOver || slot->From != 0 || !_options.DirectReads) return false;
        if (peer.Port.Direct is not { } direct || peer.Port.Hung || direct.Incarnation != peer.Incarnation) return false;
        if (peer.Port.AsksStill > 0)
        {
            peer.Port.AsksStill--;
            return false;
        }
        Detach(index);
        slot->State = RequestState.Direct;
        Append(ref _direct, index);
        direct.Prefetch(slot->Segment, slot->Page + (ulong)BitOperations.TrailingZeroCount(slot->Pending), slot->Shard);
        _directBegun = true;
        return true;
    }

    /// <summary>What was asked for since the last poll is still on its way out of the memory: who polls has something to do meanwhile, as while a message travels.</summary>
    private bool StillComes()
    {
        bool begun = _directBegun;
        _directBegun = false;
        return begun;
    }

    private int ReadDirectly(Span<PageCompletion> completions)
    {
        int count = 0, most = Math.Min(completions.Length, DirectPagesPerPoll);
        while (_direct.First >= 0 && count < most)
        {
            int index = _direct.First;
            RequestSlot* slot = _slots + index;
            ClientPort port = _peers[slot->Peer]!.Port;
            if (port.Hung || !ReadOneDirectly(index, port, count, ref completions[count]))
            {
                _counters.DirectReadsAsked++;
                Enqueue(index);
                continue;
            }
            count++;
            if (slot->Pending == 0) End(index);
        }
        return count;
    }

    private bool ReadOneDirectly(int index, ClientPort port, int place, ref PageCompletion completion)
    {
        RequestSlot* slot = _slots + index;
        int which = BitOperations.TrailingZeroCount(slot->Pending);
        byte* to = slot->Into != null ? slot->Into + ((long)which << Layout.PageShift) : _directMemory.Start + ((long)place << Layout.PageShift);
        ulong page = slot->Page + (ulong)which, left = slot->Pending & (slot->Pending - 1);
        if (left != 0) port.Direct!.Prefetch(slot->Segment, slot->Page + (ulong)BitOperations.TrailingZeroCount(left), slot->Shard);
        PageStatus status = port.Direct!.Read(slot->Segment, page, slot->Shard, slot->Epoch, _routes!.Map.FrameGeneration, to, out PageVersion version);
        if (status == PageStatus.NotReady) return false;
        if (++port.Unlooked >= PagesPerLook)
        {
            port.Unlooked = 0;
            port.Driver.Look();
            LookAfter(port);
        }
        completion = new PageCompletion
        {
            Cookie = slot->Cookie,
            Page = (long)page,
            Operation = PageOperation.Read,
            Status = status,
            Version = version,
            Image = status == PageStatus.Ok ? to : null,
        };
        _assemblies.Remove(ref slot->FirstAssembly, page);
        slot->Pending = left;
        _counters.PagesRead++;
        _counters.PagesReadDirectly++;
        if (status == PageStatus.Zero) _counters.ZeroPagesRead++;
        return true;
    }
}
