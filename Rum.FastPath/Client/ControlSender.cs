using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Client;

/// <summary>Sends control messages that want no answer, each once: what council members say to each other. One thread.</summary>
public sealed unsafe class ControlSender : IDisposable
{
    private readonly IDriver _driver;
    private readonly TxBatch _tx;
    private ulong _packetNumber;
    private uint _counter;

    /// <summary>A sender over a driver that is its own from now on.</summary>
    public ControlSender(IDriver driver)
    {
        _driver = driver;
        _tx = new TxBatch(driver);
    }

    /// <summary>Sends a message. What the driver doesn't take is lost, as anything may be.</summary>
    public void Send(PeerAddress to, ReadOnlySpan<byte> message)
    {
        int maxPayload = _driver.Traits.MaxPayload, fragments = FrameCodec.FragmentsFor(message.Length, maxPayload);
        if (fragments > FrameCodec.FragmentsMax) return;
        _counter++;
        fixed (byte* payload = message)
        {
            uint sum = Crc32C.Compute(payload, message.Length);
            for (int i = 0; i < fragments; i++)
            {
                if (!_tx.MakeRoom(1)) break;
                FrameHeader* header = _tx.Next;
                FrameCodec.Start(header, FrameType.Control);
                header->PacketNumber = ++_packetNumber;
                header->Counter = _counter;
                header->Sequence = sum;
                FrameCodec.SetFragment(header, message.Length, maxPayload, i);
                _tx.Add(to, payload + header->FragmentOffset);
            }
            _tx.Flush();
            _tx.Clear();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tx.Dispose();
        _driver.Dispose();
    }
}
