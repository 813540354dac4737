using System.Net;
using System.Text.Json;
using Rum.Core;
using Rum.Core.Council;
using Rum.Grains.Carrying;
using Rum.Silo.Reporting;

namespace Rum.Grains.Tests.Processes;

public sealed class DashboardTests
{
    [Fact]
    public async Task It_asks_for_a_password_and_counts_the_segments_of_each_silo()
    {
        await using var silos = new OrleansProcesses(3);
        await silos.StartAsync();
        // It comes up a moment after Orleans has joined.
        await Eventually.Async(async () => (await silos.DashboardAsync(1, "", null)).Status != HttpStatusCode.NotFound, "silo 1 has its dashboard");
        await Eventually.Async(async () => (await silos.DashboardAsync(2, "", null)).Status != HttpStatusCode.NotFound, "silo 2 has its dashboard");
        foreach (string? password in new[] { null, "", "Swordfish", OrleansProcesses.Password + "x" })
        {
            foreach (string path in new[] { "", "index.min.js", "DashboardCounters" })
                Assert.Equal(HttpStatusCode.Unauthorized, (await silos.DashboardAsync(1, path, password)).Status);
        }
        (HttpStatusCode found, string page) = await silos.DashboardAsync(1, "", OrleansProcesses.Password);
        Assert.Equal(HttpStatusCode.OK, found);
        Assert.Contains("<html", page);
        Assert.Equal(HttpStatusCode.OK, (await silos.DashboardAsync(1, "index.min.js", OrleansProcesses.Password)).Status);

        GrainCalls calls = await silos.CallsAsync();
        var open = new OpenSession(12345, "", "dashboard", 600_000);
        SessionId session = ((SessionResult)(await calls.DecideAsync(default, open, default)).Result).Session;
        for (uint i = 1; i <= 60; i++)
        {
            UInt128 key = i % 3 == 0 ? UInt128.Zero : SegmentKey.FromName($"dashboard {i}").Value;
            Result made = (await calls.DecideAsync(new RequestId(session, 0, i), new Allocate(session, key, 4096, 1, SegmentFlags.None, default), default)).Result;
            Assert.True(made.Error == RumError.None, made.Message);
        }
        // Those that are freed must go from the dashboard, too.
        for (uint i = 1; i <= 10; i++)
        {
            await calls.DecideAsync(new RequestId(session, 1, i), new Free(session, default, SegmentKey.FromName($"dashboard {(i * 3) - 2}").Value), default);
        }

        (int exit, string output, string errors) = await RumProcess.RunAsync("segment", "list", "--machines", silos.Cluster.Machines, "--json");
        Assert.True(exit == 0, errors);
        Dictionary<int, string> endpoints = (await silos.Cluster.StatusAsync()).Silos.ToDictionary(s => s.Id, s => s.Endpoint);
        string expected = Text(JsonSerializer.Deserialize(output, ReportJson.Default.IReadOnlyListSegmentReport)!.GroupBy(s => endpoints[s.Silo]).Select(g => (g.Key, g.Count())));
        string actual = "";
        await Eventually.Async(
            async () =>
            {
                (_, string counters) = await silos.DashboardAsync(2, "DashboardCounters", OrleansProcesses.Password);
                using JsonDocument json = JsonDocument.Parse(counters);
                actual = Text(json.RootElement.GetProperty("simpleGrainStats").EnumerateArray()
                    .Where(g => g.GetProperty("grainType").GetString()!.EndsWith(".SegmentGrain", StringComparison.Ordinal) && g.GetProperty("activationCount").GetInt32() > 0)
                    .Select(g => (g.GetProperty("siloAddress").GetString()!.Split('@')[0], g.GetProperty("activationCount").GetInt32())));
                return actual == expected;
            },
            "as many activations on the dashboard as segments in the list",
            () => $"dashboard {actual}, list {expected}");
        Assert.Equal(50, expected.Split(' ').Sum(part => int.Parse(part.Split('=')[1])));
    }

    private static string Text(IEnumerable<(string Silo, int Count)> counts) => string.Join(' ', counts.OrderBy(c => c.Silo, StringComparer.Ordinal).Select(c => $"{c.Silo}={c.Count}"));
}
