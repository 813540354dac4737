using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Server;

/// <content>Control frames: in to the sink, out from the mailbox.</content>
public sealed unsafe partial class PageServer
{
    // Between two looks at the data; also what keeps a large answer from overrunning a receiver's socket buffer.
    private const int ControlFragmentsPerStep = 16;

    private readonly ControlAssemblies _controls;

    private void HandleControl(ServerPort port, in RxFrame frame, FrameHeader* header)
    {
        byte[]? message = _controls.Add(frame, _nowNs, ref _counters.AssembliesDropped);
        if (message == null) return;
        var request = new ControlRequest(new ControlOrigin(port.Index, frame.Peer), header->Session, header->Slot, header->Counter, message) { Generation = header->Generation };
        if (_sink != null && _sink.TryAccept(request)) _counters.ControlRequests++;
        else _counters.ControlRequestsDropped++;
    }

    /// <summary>Sends a part of the port's control answers. Called with an empty burst only.</summary>
    private int SendControl(ServerPort port)
    {
        if (port.Control == null)
        {
            if (!_controlAnswers[port.Index].TryDequeue(out OutgoingControl? next)) return 0;
            Interlocked.Decrement(ref _queued);
            port.Control = next;
            port.ControlFragment = 0;
        }
        OutgoingControl answer = port.Control;
        int count = FrameCodec.FragmentsFor(answer.Length, port.Traits.MaxPayload);
        uint sum = Crc32C.Compute(answer.Payload, answer.Length);
        for (int i = 0; i < ControlFragmentsPerStep && port.ControlFragment < count; i++, port.ControlFragment++)
        {
            FrameHeader* header = port.NextHeader;
            FrameCodec.Start(header, FrameType.ControlAnswer);
            header->Generation = _view?.Generation ?? 0;
            header->Incarnation = Incarnation.Value;
            header->Session = answer.Request.Session;
            header->PacketNumber = ++_packetNumber;
            header->Slot = answer.Request.Slot;
            header->Counter = answer.Request.Counter;
            header->Sequence = sum;
            header->Status = answer.Status;
            FrameCodec.SetFragment(header, answer.Length, port.Traits.MaxPayload, port.ControlFragment);
            port.Add(answer.Request.Origin.Peer, answer.Payload + header->FragmentOffset);
        }
        // The payload is the answer's memory: it goes only when everything that points to it has gone.
        if (port.Flush() && port.ControlFragment == count)
        {
            port.Control = null;
            answer.Dispose();
            _counters.ControlAnswers++;
        }
        return 1;
    }
}
