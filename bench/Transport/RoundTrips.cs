using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.Transport.Bench;

/// <summary>One client thread and one server thread that answers each frame with a page.</summary>
internal sealed unsafe class RoundTrips : IDisposable
{
    private const int Slots = 1024;
    private const int Burst = 32;
    private static readonly int[] Cpus = Scheduling.AllowedCpus(); // Asked before any thread is bound.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(3);

    private readonly IDriver _server;
    private readonly Func<IDriver> _connect;
    private readonly bool _one;
    private readonly byte* _pages = (byte*)NativeMemory.AlignedAlloc(Slots * Layout.PageSize, Layout.PageSize);
    private readonly byte* _slots = (byte*)NativeMemory.AlignedAlloc(Slots * Layout.PageSize, Layout.PageSize);
    private volatile bool _stop;

    public RoundTrips(IDriver server, Func<IDriver> connect, string layout)
    {
        _server = server;
        _connect = connect;
        _one = layout == "one" || Cpus.Length == 1;
        new Span<byte>(_pages, Slots * Layout.PageSize).Fill(0x5A);
        new Span<byte>(_slots, Slots * Layout.PageSize).Clear();
    }

    public static PeerAddress ServerAddress { get; set; }

    public string Measure(string name, int outstanding)
    {
        var serving = new Thread(Serve);
        serving.Start();
        using IDriver client = _connect();
        Scheduling.TryPin(0, Cpus[0]);
        Ask(client, outstanding, WarmUp, null);
        var samples = new long[2_000_000];
        (long count, double seconds, int taken) = Ask(client, outstanding, Duration, samples);
        _stop = true;
        serving.Join();
        Array.Sort(samples, 0, taken);
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"name":"{{name}}","layout":"{{(_one ? "one" : "split")}}","outstanding":{{outstanding}},"p50_us":{{samples[taken / 2] / 1e3:F2}},"p99_us":{{samples[taken * 99L / 100] / 1e3:F2}},"ops_per_s":{{count / seconds:F0}}}""");
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_pages);
        NativeMemory.AlignedFree(_slots);
    }

    private void Serve()
    {
        Scheduling.TryPin(0, _one ? Cpus[0] : Cpus[1]);
        byte* headers = (byte*)NativeMemory.AlignedAlloc(Burst * FrameHeader.Size, 64);
        var rx = new RxFrame[Burst];
        var tx = new TxFrame[Burst];
        uint page = 0;
        while (!_stop)
        {
            int count = _server.Receive(rx);
            for (int i = 0; i < count; i++)
            {
                var header = (FrameHeader*)(headers + i * FrameHeader.Size);
                *header = *(FrameHeader*)rx[i].Header;
                tx[i] = new TxFrame { Peer = rx[i].Peer, Header = (byte*)header, Payload = _pages + (page++ * 7 % Slots) * Layout.PageSize, PayloadLength = Layout.PageSize };
            }

            for (int sent = 0; sent < count && !_stop;) sent += _server.Send(tx.AsSpan(sent, count - sent));
            _server.Release();
            if (count == 0 && _one) _ = Scheduling.sched_yield();
        }

        NativeMemory.AlignedFree(headers);
    }

    private (long Count, double Seconds, int Samples) Ask(IDriver client, int outstanding, TimeSpan duration, long[]? samples)
    {
        byte* headers = (byte*)NativeMemory.AlignedAlloc(Burst * FrameHeader.Size, 64);
        var rx = new RxFrame[Burst];
        var tx = new TxFrame[Burst];
        long start = Stopwatch.GetTimestamp(), end = start + (long)(duration.TotalSeconds * Stopwatch.Frequency), now = start, count = 0;
        int open = 0, taken = 0;
        uint slot = 0;
        while (now < end || open > 0)
        {
            int send = now < end ? Math.Min(outstanding - open, Burst) : 0;
            now = Stopwatch.GetTimestamp();
            for (int i = 0; i < send; i++)
            {
                var header = (FrameHeader*)(headers + i * FrameHeader.Size);
                header->Sequence = (ulong)now;
                tx[i] = new TxFrame { Peer = ServerAddress, Header = (byte*)header };
            }

            if (send > 0) open += client.Send(tx.AsSpan(0, send));
            if (client.Traits.UsesLanding)
                for (int i = 0; i < Burst; i++) rx[i].Landing = _slots + (slot + (uint)i) % Slots * Layout.PageSize;
            int got = client.Receive(rx);
            now = Stopwatch.GetTimestamp();
            for (int i = 0; i < got; i++)
            {
                if (rx[i].Payload != rx[i].Landing)
                    Buffer.MemoryCopy(rx[i].Payload, _slots + slot % Slots * Layout.PageSize, Layout.PageSize, rx[i].PayloadLength);
                slot++;
                if (samples is not null && taken < samples.Length) samples[taken++] = now - (long)((FrameHeader*)rx[i].Header)->Sequence;
            }

            client.Release();
            open -= got;
            count += got;
            if (got == 0 && _one) _ = Scheduling.sched_yield();
        }

        NativeMemory.AlignedFree(headers);
        return (count, Stopwatch.GetElapsedTime(start).TotalSeconds, taken);
    }
}
