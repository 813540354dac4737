using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Server;

/// <content>
/// Cuts for snapshots. Why holding makes one: let page B be written after page A was acknowledged. If B is in the cut it was applied before its silo's mark, and every mark comes after every
/// silo holds and before any has let go. So A was acknowledged before its silos held, and is in their marks too.
/// </content>
public sealed unsafe partial class PageServer
{
    /// <summary>Acknowledgements are held for so long at most, nanoseconds; then there is no cut.</summary>
    public const long HoldNsMax = 50_000_000;

    private const int HeldMax = 4096;

    private readonly record struct HeldAnswer(int Port, PeerAddress Peer, FrameHeader Request, PageVersion Version);

    private readonly List<HeldAnswer> _held = [];
    private ulong _holding, _released;
    private long _holdUntilNs;
    private bool _marked;

    /// <summary>The cut that is kept here, 0 for none. Any thread asks by the mailbox.</summary>
    public Task<ulong> CutAsync() => RunAsync(static pool => pool.Cut);

    /// <summary>Nothing needs to be kept of a cut any more.</summary>
    public Task EndCutAsync(ulong cut) => RunAsync(pool =>
    {
        if (pool.Cut == cut && _holding != cut) pool.EndCut();
        return true;
    });

    private void HandleCut(ServerPort port, in RxFrame frame, FrameHeader* header)
    {
        PageStatus status = TakeStep((CutStep)header->Slot, header->Segment, header);
        Answer(port, frame.Peer, header, status, default);
    }

    private PageStatus TakeStep(CutStep step, ulong cut, FrameHeader* header)
    {
        if (header->Incarnation != Incarnation.Value) return PageStatus.StaleIncarnation;
        if (_view is null || header->Generation != _view.Generation) return PageStatus.StaleEpoch;
        if (cut == 0) return PageStatus.Malformed;
        switch (step)
        {
            case CutStep.Hold:
                if (_holding == cut) return PageStatus.Ok;
                // Under another view other silos may have the shards.
                if (header->Confirmed != _view.Decree) return PageStatus.NotReady;
                if (_holding != 0) return PageStatus.Superseded;
                _holding = cut;
                _holdUntilNs = _nowNs + HoldNsMax;
                _marked = false;
                return PageStatus.Ok;
            case CutStep.Mark:
                if (_holding != cut) return PageStatus.TimedOut;
                if (!_marked) _pool.MarkCut(cut);
                _marked = true;
                return PageStatus.Ok;
            case CutStep.Release:
                if (_released == cut) return PageStatus.Ok;
                if (_holding != cut || !_marked) return PageStatus.TimedOut;
                _released = cut;
                LetGo();
                return PageStatus.Ok;
            case CutStep.Void:
                if (_holding == cut) LetGo();
                if (_pool.Cut == cut) _pool.EndCut();
                return PageStatus.Ok;
            default:
                return PageStatus.Malformed;
        }
    }

    /// <summary>True: the answer waits until the cut is made.</summary>
    private bool Holds(ServerPort port, PeerAddress peer, FrameHeader* request, PageStatus status, PageVersion version)
    {
        if (_holding == 0 || status != PageStatus.Ok || request->Type is not (FrameType.Write or FrameType.Trim)) return false;
        if (_options.Defect == ReplicaDefect.CutWithoutHold) return false;
        // Too many: like a lost frame, it is asked for again.
        if (_held.Count < HeldMax) _held.Add(new HeldAnswer(port.Index, peer, *request, version));
        else _counters.AnswersDropped++;
        return true;
    }

    /// <summary>Acknowledges what waited. A cut that wasn't released by its step is none.</summary>
    private void LetGo()
    {
        _holding = 0;
        foreach (HeldAnswer held in _held)
        {
            FrameHeader request = held.Request;
            Answer(_ports[held.Port], held.Peer, &request, PageStatus.Ok, held.Version);
        }
        _held.Clear();
    }
}
