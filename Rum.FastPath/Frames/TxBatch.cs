using Rum.FastPath.Drivers;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Frames;

/// <summary>Frames collected for one driver and sent in bursts; what the driver doesn't take stays in front. No allocation after construction.</summary>
internal sealed unsafe class TxBatch : IDisposable
{
    public const int Capacity = 64;

    private readonly NativeRegion _memory = new(Capacity * (long)(sizeof(FrameHeader) + sizeof(TxFrame)));
    private readonly FrameHeader* _headers;
    private readonly TxFrame* _frames;
    private readonly IDriver _driver;
    private readonly bool _checksummed;

    public TxBatch(IDriver driver)
    {
        _driver = driver;
        _checksummed = driver.Traits.Checksummed;
        _headers = (FrameHeader*)_memory.Start;
        _frames = (TxFrame*)(_headers + Capacity);
    }

    public int Count { get; private set; }

    /// <summary>The header of the next frame; <see cref="Add"/> completes it. Only while there is room.</summary>
    public FrameHeader* Next => _headers + Count;

    /// <summary>Adds the frame whose header was filled in. The payload must stay until the frame is sent.</summary>
    public void Add(PeerAddress peer, byte* payload)
    {
        FrameHeader* header = _headers + Count;
        FrameCodec.Seal(header, payload, _checksummed);
        _frames[Count++] = new TxFrame { Peer = peer, Header = (byte*)header, Payload = payload, PayloadLength = header->Length };
    }

    /// <summary>Sends; true when nothing is left.</summary>
    public bool Flush()
    {
        if (Count == 0) return true;
        int taken = _driver.Send(new ReadOnlySpan<TxFrame>(_frames, Count));
        int left = Count - taken;
        for (int i = 0; i < left && taken > 0; i++)
        {
            _headers[i] = _headers[i + taken];
            _frames[i] = _frames[i + taken];
            _frames[i].Header = (byte*)(_headers + i);
        }
        Count = left;
        return left == 0;
    }

    /// <summary>Takes out what a request's slot still has to send with a payload: the payload isn't there any more.</summary>
    public void Withdraw(uint slot)
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (_headers[i].Slot == slot && _frames[i].Payload != null) continue;
            if (kept != i)
            {
                _headers[kept] = _headers[i];
                _frames[kept] = _frames[i];
                _frames[kept].Header = (byte*)(_headers + kept);
            }
            kept++;
        }
        Count = kept;
    }

    /// <summary>Forgets what was not sent.</summary>
    public void Clear() => Count = 0;

    /// <summary>Whether this many frames can be added, after sending if need be.</summary>
    public bool MakeRoom(int frames)
    {
        if (Capacity - Count < frames) Flush();
        return Capacity - Count >= frames;
    }

    public void Dispose() => _memory.Dispose();
}
