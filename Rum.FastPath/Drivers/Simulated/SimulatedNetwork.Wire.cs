using System.Runtime.InteropServices;

namespace Rum.FastPath.Drivers.Simulated;

// What happens to a datagram on its way.
public sealed unsafe partial class SimulatedNetwork
{
    /// <summary>A datagram on its way or in an inbox; native, pooled.</summary>
    internal struct Datagram
    {
        public long Frame;
        public int From;
        public int To;
        public nint Length; // Wider than it need be, so that Bytes is 8-byte aligned.
        public fixed byte Bytes[FrameBytesMax];
    }

    private const int DatagramsPerBlock = 64;

    internal Datagram* Rent()
    {
        if (_free.TryPop(out nint free)) return (Datagram*)free;
        int stride = (sizeof(Datagram) + 63) & ~63;
        byte* block = (byte*)NativeMemory.AlignedAlloc((nuint)(stride * DatagramsPerBlock), 64);
        _blocks.Add((nint)block);
        for (int i = 1; i < DatagramsPerBlock; i++) _free.Push((nint)(block + i * stride));
        return (Datagram*)block;
    }

    internal void Return(Datagram* datagram) => _free.Push((nint)datagram);

    /// <summary>Decides the fate of a datagram that left its sender.</summary>
    internal void Launch(Datagram* datagram, int from, int to, int length)
    {
        datagram->Frame = _frames++;
        datagram->From = from;
        datagram->To = to;
        datagram->Length = length;
        Note(SimulatedEventKind.Sent, datagram);
        if ((uint)to >= (uint)_endpoints.Count)
        {
            Drop(SimulatedEventKind.NobodyThere, datagram);
            return;
        }

        if (_blocked.Contains((from, to)))
        {
            Drop(SimulatedEventKind.Blocked, datagram);
            return;
        }

        LinkSettings link = _links.GetValueOrDefault((from, to), Options.Link);
        if (_random.Chance(link.Loss))
        {
            Drop(SimulatedEventKind.Lost, datagram);
            return;
        }

        if (_random.Chance(link.Duplication))
        {
            Datagram* copy = Rent();
            *copy = *datagram;
            Note(SimulatedEventKind.Duplicated, copy);
            Fly(copy, link);
        }

        Fly(datagram, link);
    }

    private void Fly(Datagram* datagram, LinkSettings link)
    {
        if (_random.Chance(link.Corruption))
        {
            for (int altered = 1 + (int)_random.Below(4); altered > 0 && datagram->Length > 0; altered--)
                datagram->Bytes[_random.Below((ulong)datagram->Length)] ^= (byte)(1 + _random.Below(255));
            Note(SimulatedEventKind.Corrupted, datagram);
        }

        if (_random.Chance(link.Truncation))
        {
            datagram->Length = (nint)_random.Below((ulong)datagram->Length + 1);
            Note(SimulatedEventKind.Truncated, datagram);
        }

        long delay = link.DelayNsMin + (long)_random.Below((ulong)(link.DelayNsMax - link.DelayNsMin) + 1);
        if (_random.Chance(link.Reordering))
        {
            delay += link.ReorderDelayNs;
            Note(SimulatedEventKind.HeldUp, datagram);
        }

        if ((uint)datagram->From < (uint)_endpoints.Count) _endpoints[datagram->From].InFlight++;
        _flying.Enqueue((nint)datagram, (NowNs + delay, _order++));
    }

    private void Arrive(Datagram* datagram)
    {
        if ((uint)datagram->From < (uint)_endpoints.Count) _endpoints[datagram->From].InFlight--;
        SimulatedDriver to = _endpoints[datagram->To];
        if (to.Disposed) Drop(SimulatedEventKind.NobodyThere, datagram);
        else if (to.Waiting >= Options.InboxMax) Drop(SimulatedEventKind.InboxFull, datagram);
        else
        {
            Note(SimulatedEventKind.Delivered, datagram);
            to.Accept(datagram);
        }
    }

    private void Drop(SimulatedEventKind why, Datagram* datagram)
    {
        Note(why, datagram);
        Return(datagram);
    }

    private void Note(SimulatedEventKind kind, Datagram* datagram)
    {
        Mix((ulong)NowNs);
        Mix((ulong)kind << 48 ^ (ulong)(uint)datagram->From << 24 ^ (uint)datagram->To);
        Mix((ulong)datagram->Frame << 16 ^ (ulong)datagram->Length);
        Trace?.Invoke(new SimulatedEvent(NowNs, kind, datagram->From, datagram->To, datagram->Frame, (int)datagram->Length));
    }

    private void Mix(ulong value) => TraceHash = (ulong.RotateLeft(TraceHash, 23) ^ value) * 0x9E3779B97F4A7C15;
}
