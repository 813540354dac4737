using Orleans.Runtime;
using Rum.Core;
using Rum.Core.Council;

namespace Rum.Grains.Tests.InProcess;

public sealed class PlacementTests
{
    private const int Segments = 10_000, Slots = 64;

    [Fact]
    public async Task Ten_thousand_segments_are_activated_where_their_first_extent_is()
    {
        await using Grid grid = await Grid.StartAsync(3);
        SessionId session = await grid.OpenSessionAsync(600_000);
        var made = new SegmentResult[Segments];
        await Task.WhenAll(Enumerable.Range(0, Slots).Select(async slot =>
        {
            uint counter = 0;
            for (int i = slot; i < Segments; i += Slots) made[i] = await grid.AllocateAsync(session, (uint)slot, ++counter, Key(i));
        }));
        await EveryGrainIsHomeAsync(grid, made);
        await CountsAreEqualAsync(grid);
    }

    [Fact]
    public async Task An_activation_off_the_ring_moves_when_membership_changes_and_a_pinned_segment_stays_where_it_was_pinned()
    {
        await using Grid grid = await Grid.StartAsync(2);
        SessionId session = await grid.OpenSessionAsync(600_000);
        var made = new List<SegmentResult>();
        for (int i = 0; i < 100; i++) made.Add(await grid.AllocateAsync(session, 0, (uint)i + 1, Key(i)));
        SiloId pin = grid.Nodes.Last().Membership.Id;
        CommandAnswer answer = await grid.Calls.DecideAsync(new RequestId(session, 1, 1), new Allocate(session, Key(1000), 4096, 1, SegmentFlags.None, pin), default);
        var pinned = Assert.IsType<SegmentResult>(answer.Result);
        Assert.Equal(RumError.None, pinned.Error);
        made.Add(pinned);
        // The shard of a pinned segment is new: its silo knows of it with the next view.
        await Eventually.Async(async () => await AwayAsync(grid, made) == 0, "every grain is where its first extent is");
        Assert.Equal(pin.Value, (await Grain(grid, pinned).DescribeAsync()).Activation);

        // Against the ring, as a framework that balances by load would: each grain onto the silo where it doesn't belong.
        // Each is looked at at once: the silos bring them back in their own time.
        int away = 0;
        foreach (SegmentResult segment in made)
        {
            SegmentDescription description = await Grain(grid, segment).DescribeAsync();
            SiloAddress other = grid.Orleans.GetActiveSilos().First(s => grid.NodeOf(s).Membership.Id.Value != description.Home).SiloAddress;
            await grid.Orleans.MigrateAsync(Grain(grid, segment), other);
            description = await Grain(grid, segment).DescribeAsync();
            if (description.Activation != description.Home) away++;
        }
        Assert.True(away > 0, "no activation could be moved off the ring");

        await grid.Orleans.StartAdditionalSiloAsync();
        await Eventually.Async(async () => (await AwayAsync(grid, made)) == 0, "every activation is back on the ring");
        await CountsAreEqualAsync(grid);
    }

    private static UInt128 Key(int i) => SegmentKey.FromName($"placement {i}").Value;

    private static ISegmentGrain Grain(Grid grid, SegmentResult segment) =>
        grid.Client.GetGrain<ISegmentGrain>(GrainKeys.OfSegment(new SegmentKey(segment.Key), segment.Segment));

    private static async Task<int> AwayAsync(Grid grid, IEnumerable<SegmentResult> segments)
    {
        int away = 0;
        foreach (SegmentResult segment in segments)
        {
            SegmentDescription description = await Grain(grid, segment).DescribeAsync();
            if (description.Activation != description.Home) away++;
        }
        return away;
    }

    private static async Task EveryGrainIsHomeAsync(Grid grid, SegmentResult[] segments)
    {
        foreach (SegmentResult[] chunk in segments.Chunk(256))
        {
            SegmentDescription[] descriptions = await Task.WhenAll(chunk.Select(s => Grain(grid, s).DescribeAsync()));
            Assert.All(descriptions, d => Assert.Equal(d.Home, d.Activation));
        }
    }

    /// <summary>What Orleans has on each silo is what the council's list says.</summary>
    private static async Task CountsAreEqualAsync(Grid grid)
    {
        var expected = new Dictionary<string, int>();
        ShardMap map = grid.Nodes.First().Membership.Map!;
        for (var after = default(SegmentId); ;)
        {
            var page = (SegmentsAnswer)await grid.Council.AskAsync(new ListSegments(after, CouncilMachine.ListMax), default);
            foreach (SegmentInfo info in page.Segments)
            {
                string name = map.View.Members[map.Place(info.FirstShard).Member].Name;
                expected[name] = expected.GetValueOrDefault(name) + 1;
            }
            if (!page.More) break;
            after = page.Segments[^1].Id;
        }
        Dictionary<SiloAddress, string> names = grid.Orleans.GetActiveSilos().ToDictionary(s => s.SiloAddress, s => grid.NodeOf(s).Settings.Name);
        string seen = "";
        await Eventually.Async(
            async () =>
            {
                DetailedGrainStatistic[] statistics = await grid.Client.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics();
                Dictionary<string, int> actual = statistics.Where(s => s.GrainType.Contains("SegmentGrain", StringComparison.Ordinal))
                    .GroupBy(s => names[s.SiloAddress]).ToDictionary(g => g.Key, g => g.Count());
                seen = $"activations {Text(actual)}, segments {Text(expected)}";
                return expected.All(e => actual.GetValueOrDefault(e.Key) == e.Value) && actual.Values.Sum() == expected.Values.Sum();
            },
            "as many activations on each silo as segments",
            () => seen);

        static string Text(Dictionary<string, int> counts) => string.Join(' ', counts.OrderBy(c => c.Key).Select(c => $"{c.Key}={c.Value}"));
    }
}
