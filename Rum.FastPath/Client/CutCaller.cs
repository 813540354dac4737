using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Client;

/// <summary>A silo that takes part in a cut.</summary>
public readonly record struct CutSilo(PeerAddress Peer, Incarnation Incarnation, string Name);

/// <summary>
/// Leads silos through the steps of a cut: each by all before the next by any, each with its answer of all. Owns its driver. One thread, which it blocks for some milliseconds.
/// </summary>
public sealed unsafe class CutCaller(IDriver driver) : IDisposable
{
    private const long ResendNs = 4_000_000;
    private readonly TxBatch _tx = new(driver);
    private readonly RxFrame[] _rx = new RxFrame[32];
    private uint _counter;
    private ulong _packetNumber;

    /// <summary>Asks all silos to take a step, and waits until all have answered. Null: all did; else why not.</summary>
    /// <param name="step">The step.</param>
    /// <param name="cut">The cut's name, not 0 and never used before.</param>
    /// <param name="silos">The silos.</param>
    /// <param name="generation">What frames of the cluster carry.</param>
    /// <param name="viewDecree">The view under which they must be.</param>
    /// <param name="untilNs">When to give up, by the monotonic clock.</param>
    public string? Take(CutStep step, ulong cut, IReadOnlyList<CutSilo> silos, uint generation, ulong viewDecree, long untilNs)
    {
        uint counter = ++_counter;
        bool[] answered = new bool[silos.Count];
        int missing = silos.Count;
        long sentNs = long.MinValue / 2;
        while (missing > 0)
        {
            long now = MonotonicClock.NowNs;
            if (now >= untilNs) return $"silo {silos[Array.IndexOf(answered, false)].Name} did not answer in time";
            if (now - sentNs >= ResendNs)
            {
                sentNs = now;
                for (int i = 0; i < silos.Count; i++)
                    if (!answered[i]) Send(step, cut, silos[i], generation, viewDecree, counter);
                _tx.Flush();
            }
            int received = driver.Receive(_rx);
            string? refused = null;
            for (int i = 0; i < received && refused is null; i++)
            {
                if (!TryRead(_rx[i], counter, cut, out FrameHeader header)) continue;
                int silo = IndexOf(silos, header.Incarnation, _rx[i].Peer);
                if (silo < 0 || answered[silo]) continue;
                if (header.Status == (ushort)PageStatus.Ok)
                {
                    answered[silo] = true;
                    missing--;
                }
                else refused = $"silo {silos[silo].Name}: {Words((PageStatus)header.Status)}";
            }
            driver.Release();
            if (refused is not null) return refused;
            if (received > 0 || missing == 0) continue;
            Span<int> descriptors = [driver.WaitDescriptor];
            if (driver.PrepareWait()) Polling.WaitReadable(descriptors, Math.Max(100_000, Math.Min(sentNs + ResendNs, untilNs) - now));
            driver.FinishWait();
        }
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tx.Dispose();
        driver.Dispose();
    }

    private void Send(CutStep step, ulong cut, in CutSilo silo, uint generation, ulong viewDecree, uint counter)
    {
        if (!_tx.MakeRoom(1)) return;
        FrameHeader* header = _tx.Next;
        FrameCodec.Start(header, FrameType.Cut);
        header->Generation = generation;
        header->Incarnation = silo.Incarnation.Value;
        header->PacketNumber = ++_packetNumber;
        header->Slot = (uint)step;
        header->Counter = counter;
        header->Segment = cut;
        header->Confirmed = viewDecree;
        _tx.Add(silo.Peer, null);
    }

    private bool TryRead(in RxFrame frame, uint counter, ulong cut, out FrameHeader header)
    {
        header = default;
        if (FrameCodec.Check(frame.Header, frame.Payload, frame.PayloadLength, driver.Traits.Checksummed) != FrameFault.None) return false;
        header = *(FrameHeader*)frame.Header;
        return header.Type == FrameType.CutAnswer && header.Counter == counter && header.Segment == cut;
    }

    // A restarted silo answers by another life, which then is what it says.
    private static int IndexOf(IReadOnlyList<CutSilo> silos, ulong incarnation, PeerAddress peer)
    {
        for (int i = 0; i < silos.Count; i++)
            if (silos[i].Incarnation.Value == incarnation || silos[i].Peer == peer) return i;
        return -1;
    }

    private static string Words(PageStatus status) => status switch
    {
        PageStatus.NotReady => "it has another view of the cluster at the moment",
        PageStatus.StaleIncarnation => "it was started anew",
        PageStatus.StaleEpoch => "it belongs to another generation of the cluster",
        PageStatus.Superseded => "it holds for another cut",
        PageStatus.TimedOut => "it had to acknowledge writes again before all had marked",
        _ => $"{status}",
    };
}
