using Rum.Core;
using Rum.Core.Sessions;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Server;

/// <content>The silo's sign of life: given by the thread that serves pages, so that what is heard is what matters. Goes over the first driver, by which silos reach each other.</content>
public sealed unsafe partial class PageServer
{
    private PeerAddress[] _signTo = [];
    private SiloId _signedBy;
    private long _signDueNs = long.MaxValue;
    private ulong _progress;

    /// <summary>The control plane runs: the next sign says so. Any thread.</summary>
    public void CountProgress() => Interlocked.Increment(ref _progress);

    /// <summary>From now on this silo gives signs to these peers, and to its own sink. Any thread.</summary>
    public Task StartSignsAsync(SiloId silo, PeerAddress[] peers) => RunAsync(_ =>
    {
        (_signedBy, _signTo) = (silo, peers);
        _signDueNs = Math.Min(_signDueNs, _nowNs);
        return true;
    });

    /// <summary>No more signs: there is nobody who could miss this silo. Any thread.</summary>
    public Task StopSignsAsync() => RunAsync(_ =>
    {
        _signDueNs = long.MaxValue;
        return true;
    });

    private void GiveSign()
    {
        ServerPort port = _ports[0];
        // Where the driver pushes back: as soon as it doesn't.
        if (!port.TxEmpty) return;
        _signDueNs = _nowNs + ObservedClock.LookNs;
        ulong progress = Volatile.Read(ref _progress);
        _sink?.TakeSign(new SiloSign(_signedBy, Incarnation, progress));
        foreach (PeerAddress peer in _signTo)
        {
            if (port.TxFull && !port.Flush()) break;
            FrameHeader* header = port.NextHeader;
            FrameCodec.Start(header, FrameType.Sign);
            header->Generation = _view?.Generation ?? 0;
            header->Incarnation = Incarnation.Value;
            header->PacketNumber = ++_packetNumber;
            header->Slot = _signedBy.Value;
            header->Sequence = progress;
            port.Add(peer, null);
        }
        port.Flush();
        _counters.SignsGiven++;
    }

    private void HandleSign(FrameHeader* header)
    {
        _counters.SignsHeard++;
        if (header->Slot <= ushort.MaxValue && header->Incarnation != 0)
            _sink?.TakeSign(new SiloSign(new SiloId((ushort)header->Slot), new Incarnation(header->Incarnation), header->Sequence));
    }
}
