using System.Diagnostics;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;

namespace Rum.Cli.Bench;

/// <content>Silos that learn: a segment with two copies of each page, written whole, is what there is to copy.</content>
internal sealed partial class ClusterEvents
{
    private const int FilledPages = 65_536, FillDepth = 32;
    private static readonly UInt128 Filled = SegmentKey.FromName(Name).Value;
    private volatile bool _enough;

    /// <summary>What is under way is ended, nothing more is begun. Any thread.</summary>
    public void Enough() => _enough = true;

    /// <summary>Makes the segment and writes each of its pages.</summary>
    public async Task FillAsync()
    {
        var opened = (SessionResult)await DecideAsync(_council, default, new OpenSession(1, "", Name, 600_000));
        var made = (SegmentResult)await DecideAsync(
            _council, new RequestId(opened.Session, 0, 1), new Allocate(opened.Session, Filled, FilledPages * (long)Layout.PageSize, 2, SegmentFlags.None, default));
        ClusterView view = ((ViewAnswer)await _council.AskAsync(new GetView(0), default)).View!;
        using (var client = new PageClient(new PageClientOptions { Requests = 64 }) { Session = opened.Session })
        {
            client.SetRoutes(RoundTrip.Connect(view, "udp"));
            using var probe = new TransportProbe(client, new SegmentHandle(made.Segment, made.Token, made.FirstShard, made.Flags), FilledPages, FillDepth);
            probe.Fill();
        }
        await DecideAsync(_council, default, new CloseSession(opened.Session));
    }

    /// <summary>
    /// Silo after silo is taken for dead by decree; it lives, so the leader takes it back, it drops what it held and learns it from the others; until it is <see cref="Enough"/>. The time: from the
    /// decree until all copies are there again. The rate: the pages of the segment that it held, by that time.
    /// </summary>
    public async Task<Sample> LearnAsync()
    {
        _enough = false;
        var times = new List<double>();
        double pages = 0;
        for (int turn = 0; !_enough || times.Count == 0; turn++)
        {
            ClusterStatus healed = await HealedAsync();
            Member silo = healed.Members.Select(static member => member.Member).Single(member => member.Endpoint == _silos.Endpoint(turn % _silos.Count));
            int held = await HeldAsync(silo.Id);
            var clock = Stopwatch.StartNew();
            await DecideAsync(_council, default, new Suspect(silo.Id, silo.Incarnation));
            await HealedAsync();
            times.Add(clock.Elapsed.TotalMicroseconds);
            pages += held;
        }
        times.Sort();
        return new Sample(times[times.Count / 2], times[^1], pages * 1e6 / times.Sum(), 0, 0);
    }

    private async Task<int> HeldAsync(SiloId silo)
    {
        var answer = (SegmentAnswer)await _council.AskAsync(new ShowSegment(Filled, default), default);
        return (int)(answer.Details!.Places.Where(place => place.Silo == silo).Sum(static place => place.Bytes) >> Layout.PageShift);
    }
}
