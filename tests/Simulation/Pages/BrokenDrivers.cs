using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.Simulation.Pages;

/// <summary>A driver that alters whole frames on their way in or out: how defects are put into a server or client that has none.</summary>
internal abstract unsafe class AlteringDriver(IDriver inner) : IDriver
{
    public DriverTraits Traits => inner.Traits;

    public int WaitDescriptor => inner.WaitDescriptor;

    public DriverCounters Counters => inner.Counters;

    public int Send(ReadOnlySpan<TxFrame> frames)
    {
        foreach (ref readonly TxFrame frame in frames)
        {
            if (AlterSent((FrameHeader*)frame.Header)) FrameCodec.Seal((FrameHeader*)frame.Header, frame.Payload, Traits.Checksummed);
        }
        return inner.Send(frames);
    }

    public int Receive(Span<RxFrame> frames)
    {
        int count = inner.Receive(frames);
        foreach (ref RxFrame frame in frames[..count])
        {
            if (FrameCodec.Check(frame.Header, frame.Payload, frame.PayloadLength, Traits.Checksummed) != FrameFault.None) continue;
            if (AlterReceived((FrameHeader*)frame.Header)) FrameCodec.Seal((FrameHeader*)frame.Header, frame.Payload, Traits.Checksummed);
        }
        return count;
    }

    public void Release() => inner.Release();

    public bool PrepareWait() => inner.PrepareWait();

    public void FinishWait() => inner.FinishWait();

    public void Dispose() => inner.Dispose();

    protected virtual bool AlterSent(FrameHeader* header) => false;

    protected virtual bool AlterReceived(FrameHeader* header) => false;
}

/// <summary>Makes a server apply every write that comes, however old: it sees each as newer than all before.</summary>
internal sealed unsafe class AppliesOlderWrites(IDriver inner) : AlteringDriver(inner)
{
    private readonly Dictionary<(ulong, uint, uint), ulong> _sequences = [];
    private ulong _next = 1_000_000;

    protected override bool AlterReceived(FrameHeader* header)
    {
        if (header->Type is not (FrameType.Write or FrameType.Trim)) return false;
        _sequences[(header->Session, header->Slot, header->Counter)] = header->Sequence;
        header->Sequence = ++_next;
        return true;
    }

    protected override bool AlterSent(FrameHeader* header)
    {
        if (header->Type is not (FrameType.WriteAnswer or FrameType.TrimAnswer)) return false;
        if (!_sequences.TryGetValue((header->Session, header->Slot, header->Counter), out ulong sequence)) return false;
        header->Sequence = sequence;
        return true;
    }
}

/// <summary>Makes a client blind to page versions, so that it joins fragments of different ones.</summary>
internal sealed unsafe class BlindToVersions(IDriver inner) : AlteringDriver(inner)
{
    protected override bool AlterReceived(FrameHeader* header)
    {
        if (header->Type != FrameType.ReadAnswer) return false;
        header->Sequence = 1;
        return true;
    }
}
