using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Server;

/// <summary>One driver of a page server: the burst being received, the burst being sent, and what could not be finished because the driver pushed back.</summary>
internal sealed unsafe partial class ServerPort : IDisposable
{
    public const int Burst = 64;

    private readonly NativeRegion _memory = new(FrameHeader.Size);
    private readonly TxBatch _tx;

    public ServerPort(IDriver driver, int index)
    {
        Driver = driver;
        Index = index;
        Traits = driver.Traits;
        _tx = new TxBatch(driver);
        PendingRead = (FrameHeader*)_memory.Start;
        Rx = new RxFrame[Burst];
    }

    public IDriver Driver { get; }

    public int Index { get; }

    public DriverTraits Traits { get; }

    /// <summary>The burst received; those from <see cref="RxNext"/> to <see cref="RxCount"/> are not handled yet.</summary>
    public RxFrame[] Rx { get; }

    public int RxNext { get; set; }

    public int RxCount { get; set; }

    /// <summary>Whether part of a batched read is still to be answered: <see cref="PendingRead"/> from page <see cref="PendingPage"/>, fragment <see cref="PendingFragment"/>.</summary>
    public bool HasPendingRead { get; set; }

    public FrameHeader* PendingRead { get; }

    public PeerAddress PendingPeer { get; set; }

    public int PendingPage { get; set; }

    public int PendingFragment { get; set; }

    /// <summary>The control answer being sent, if any, and its next fragment.</summary>
    public OutgoingControl? Control { get; set; }

    public int ControlFragment { get; set; }

    /// <summary>Since when the driver has taken nothing; 0 while it does.</summary>
    public long BlockedSinceNs { get; set; }

    /// <summary>Polls that left this port out since its last.</summary>
    public int SkippedPolls { get; set; }

    public bool TxEmpty => _tx.Count == 0;

    public bool TxFull => _tx.Count == TxBatch.Capacity;

    /// <summary>The header of the next frame to send; <see cref="Add"/> completes it. Only when not <see cref="TxFull"/>.</summary>
    public FrameHeader* NextHeader => _tx.Next;

    /// <summary>Adds the frame whose header was just filled in. The payload must stay until the port is empty.</summary>
    public void Add(PeerAddress peer, byte* payload) => _tx.Add(peer, payload);

    /// <summary>Sends what was added. False: the driver took only a part; the rest stays.</summary>
    public bool Flush()
    {
        if (!_tx.Flush()) return false;
        BlockedSinceNs = 0;
        return true;
    }

    /// <summary>Gives up what the driver doesn't take; returns how many frames that were.</summary>
    public int DropUnsent()
    {
        int dropped = _tx.Count;
        _tx.Clear();
        BlockedSinceNs = 0;
        HasPendingRead = false;
        return dropped;
    }

    public void Dispose()
    {
        Control?.Dispose();
        Control = null;
        _tx.Dispose();
        _memory.Dispose();
    }
}
