using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Rum.Cli.Output;
using Rum.Core.Configuration;
using Rum.Core.Council;
using Rum.Silo.Reporting;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <summary><c>rum status</c> and <c>rum stats</c>.</summary>
internal static class StatusCommands
{
    public static Command BuildStatus()
    {
        var command = new ExampleCommand(
            "status", "The cluster: silos, room, shards, and which loss it survives", "rum status", "rum status --machines machines.csv --json");
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            ClusterReport report = ReportMapper.Report((await council.AskAsync<StatusAnswer>(new Describe())).Status);
            if (parsed.GetValue(options.Json)) Report.Json(report, ReportJson.Default.ClusterReport);
            else Print(report);
        });
        return command;
    }

    public static Command BuildStats()
    {
        var command = new ExampleCommand("stats", "Counters of every silo", "rum stats", "rum stats --json");
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            ClusterReport cluster = ReportMapper.Report((await council.AskAsync<StatusAnswer>(new Describe())).Status);
            IReadOnlyList<StatsReport> stats = await FetchAsync(cluster, cancellation);
            if (parsed.GetValue(options.Json)) Report.Json(stats, ReportJson.Default.IReadOnlyListStatsReport);
            else Print(stats);
        });
        return command;
    }

    /// <summary>The counters of every silo that is up, by its HTTP server.</summary>
    public static async Task<IReadOnlyList<StatsReport>> FetchAsync(ClusterReport cluster, CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(3) };
        var found = new List<StatsReport>();
        foreach (SiloReport silo in cluster.Silos.Where(s => s.State != "left"))
        {
            if (silo.Http.Length == 0)
            {
                Console.Error.WriteLine($"rum: silo {silo.Name} has no HTTP server (--http off); its counters are not shown");
                continue;
            }
            try
            {
                string text = await http.GetStringAsync($"{silo.Http}/stats", cancellation);
                found.Add(JsonSerializer.Deserialize(text, ReportJson.Default.StatsReport)!);
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or JsonException && !cancellation.IsCancellationRequested)
            {
                Console.Error.WriteLine($"rum: silo {silo.Name} did not answer at {silo.Http}/stats: {e.Message}");
            }
        }
        return found;
    }

    private static void Print(ClusterReport cluster)
    {
        Console.WriteLine($"cluster  {cluster.ClusterId}, generation {cluster.Generation}, decree {cluster.Decree}");
        Console.WriteLine($"room     {ByteSize.Format(cluster.ChargedBytes)} of {ByteSize.Format(cluster.CapacityBytes)} allocated");
        ShardsReport shards = cluster.Shards;
        Console.WriteLine($"shards   {shards.Served} served, {shards.Unassigned} unassigned, {shards.Lost} lost");
        Console.WriteLine($"copies   {cluster.Copies} unless asked otherwise; {(shards.Learning + shards.Incomplete == 0 ? "all there" : $"{shards.Incomplete} shards in use lack some, {shards.Learning} are being copied")}");
        Console.WriteLine($"use      {cluster.Segments} segments, {cluster.Sessions} sessions");
        Console.WriteLine($"council  {Council(cluster)}");
        Console.WriteLine($"survives {cluster.Survivable}");
        Console.WriteLine($"snapshot {Snapshots(cluster)}");
        Console.WriteLine();
        Report.Table(
            [">id", "silo", "state", ">room", ">allocated", ">shards", ">in use", ">alone", ">learning", "council", "http"],
            cluster.Silos.Select(s => (IReadOnlyList<string>)
            [
                $"{s.Id}", s.Name, s.SilentSeconds > 0 ? $"silent since {s.SilentSeconds:0} s" : s.State, ByteSize.Format(s.CapacityBytes), ByteSize.Format(s.ChargedBytes), $"{s.Shards}", $"{s.ShardsInUse}", $"{s.ShardsAlone}", $"{s.ShardsLearning}",
                s.Council ? "yes" : "", s.Http,
            ]));
    }

    private static string Snapshots(ClusterReport cluster)
    {
        string last = cluster.LastSnapshot is { } made
            ? string.Create(CultureInfo.InvariantCulture, $"{made.Name} of {DateTimeOffset.FromUnixTimeMilliseconds(made.TimeMs).LocalDateTime:yyyy-MM-dd HH:mm:ss} is complete, {ByteSize.Format(made.StoredBytes)} on {made.Parts.Count} silos; it held writes for {made.HeldMs:0.0} ms")
            : "none is complete";
        if (cluster.Snapshot is not { } now) return last;
        return $"{last}; {now.Name} {(now.State == "cutting" ? "waits for a moment at which all silos hold still" : $"is saved by {now.Parts.Count(static part => part.Saved)} of {now.Parts.Count} silos")}";
    }

    private static string Council(ClusterReport cluster)
    {
        string Name(SeatReport seat) => cluster.Silos.FirstOrDefault(s => s.Id == seat.Silo)?.Name ?? "seat " + seat.Seat;
        SeatReport[] members = [.. cluster.Council.Where(s => s.Role != "candidate")];
        string text = string.Join(", ", members.Select(s => Name(s) + (s.Role == "leader" ? " (leads)" : s.AnsweredMs >= 3000 ? $" (away for {s.AnsweredMs / 1000} s)" : "")));
        string[] candidates = [.. cluster.Council.Where(s => s.Role == "candidate").Select(Name)];
        return candidates.Length == 0 ? text : $"{text}; {string.Join(", ", candidates)} could join it";
    }

    private static void Print(IReadOnlyList<StatsReport> stats)
    {
        IEnumerable<string> names = stats.SelectMany(s => s.Counters.Keys).Distinct().Order();
        Report.Table(
            ["counter", .. stats.Select(s => ">" + s.Silo)],
            names.Select(name => (IReadOnlyList<string>)[name, .. stats.Select(s => s.Counters.TryGetValue(name, out long n) ? $"{n:#,0}" : "")]));
    }
}
