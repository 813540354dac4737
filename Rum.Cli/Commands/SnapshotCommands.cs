using System.CommandLine;
using System.Globalization;
using Rum.Cli.Output;
using Rum.Core.Configuration;
using Rum.Core.Council;
using Rum.Silo.Reporting;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <summary><c>rum snapshot</c>.</summary>
internal static class SnapshotCommands
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    public static Command Build() => new("snapshot", "Save the named segments to the silos' disks, and bring them back") { BuildCreate(), BuildList(), BuildDelete(), RestoreCommand.Build() };

    private static ExampleCommand BuildCreate()
    {
        var name = new Argument<string>("name") { Description = "Its name (default: its number)", Arity = ArgumentArity.ZeroOrOne };
        var command = new ExampleCommand("create", "Make a snapshot of all named segments, while programs go on", "rum snapshot create", "rum snapshot create before-upgrade --machines machines.csv") { name };
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            long time = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            await council.DecideAsync(new BeginSnapshot(parsed.GetValue(name) ?? "", time));
            SnapshotInfo made = await FollowAsync(council, time, cancellation);
            if (parsed.GetValue(options.Json)) Report.Json(ReportMapper.Report(made), ReportJson.Default.SnapshotReport);
            if (made.State == SnapshotState.Failed) throw new CommandFailedException(ExitCode.Failed, $"snapshot {made.Name} came to nothing: {made.Reason}");
            if (parsed.GetValue(options.Json)) return;
            SnapshotReport report = ReportMapper.Report(made);
            Console.WriteLine(
                $"Snapshot {made.Name} is complete: {report.Segments} named {(report.Segments == 1 ? "segment" : "segments")} ({ByteSize.Format(report.SegmentBytes)}), "
                + $"{ByteSize.Format(report.StoredBytes)} on the disks of {report.Parts.Count} {(report.Parts.Count == 1 ? "silo" : "silos")}.");
            if (made.LostShards > 0) Console.WriteLine($"{made.LostShards} shards of them were lost already and are lost in it.");
        });
        return command;
    }

    private static async Task<SnapshotInfo> FollowAsync(CouncilSession council, long time, CancellationToken cancellation)
    {
        string said = "";
        while (true)
        {
            SnapshotInfo? snapshot = (await council.AskAsync<SnapshotsAnswer>(new ListSnapshots())).Snapshots.FirstOrDefault(s => s.TimeMs == time);
            if (snapshot is null) throw new CommandFailedException(ExitCode.Failed, "the snapshot was deleted before it was complete");
            if (snapshot.State is SnapshotState.Complete or SnapshotState.Failed) return snapshot;
            string now = snapshot.State == SnapshotState.Cutting
                ? $"snapshot {snapshot.Name}: waiting for a moment at which all silos hold still"
                : $"snapshot {snapshot.Name}: saved by {snapshot.Parts.Count(static part => part.Saved)} of {snapshot.Parts.Count} silos";
            if (now != said) Console.Error.WriteLine(said = now);
            await Task.Delay(LookEvery, cancellation);
        }
    }

    private static ExampleCommand BuildList()
    {
        var command = new ExampleCommand("list", "All snapshots", "rum snapshot list", "rum snapshot list --json");
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            IReadOnlyList<SnapshotReport> all = [.. (await council.AskAsync<SnapshotsAnswer>(new ListSnapshots())).Snapshots.Select(ReportMapper.Report)];
            if (parsed.GetValue(options.Json)) Report.Json(all, ReportJson.Default.IReadOnlyListSnapshotReport);
            else if (all.Count == 0) Console.WriteLine("There is no snapshot.");
            else
            {
                Report.Table(
                    [">id", "name", "time", "state", ">segments", ">size", ">stored", ">held ms", "silos", "reason"],
                    all.Select(s => (IReadOnlyList<string>)
                    [
                        $"{s.Id}", s.Name, $"{DateTimeOffset.FromUnixTimeMilliseconds(s.TimeMs).LocalDateTime:yyyy-MM-dd HH:mm:ss}", s.State, $"{s.Segments}", ByteSize.Format(s.SegmentBytes),
                        ByteSize.Format(s.StoredBytes), s.HeldMs.ToString("0.0", CultureInfo.InvariantCulture), string.Join(", ", s.Parts.Select(p => p.Saved ? p.Name : $"({p.Name})")), s.Reason,
                    ]));
            }
        });
        return command;
    }

    private static ExampleCommand BuildDelete()
    {
        var which = new Argument<string>("snapshot") { Description = "Its name or number" };
        var command = new ExampleCommand("delete", "Delete a snapshot, or give up one that is being made; the silos remove their files", "rum snapshot delete before-upgrade") { which };
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            string wanted = parsed.GetRequiredValue(which);
            IReadOnlyList<SnapshotInfo> all = (await council.AskAsync<SnapshotsAnswer>(new ListSnapshots())).Snapshots;
            SnapshotInfo snapshot = all.FirstOrDefault(s => s.Name == wanted) ?? all.FirstOrDefault(s => $"{s.Id}" == wanted)
                ?? throw new CommandFailedException(ExitCode.Failed, $"there is no snapshot {wanted}; rum snapshot list shows those that there are");
            await council.DecideAsync(new DeleteSnapshot(snapshot.Id));
            if (parsed.GetValue(options.Json)) Report.Json(new DoneReport("delete", $"snapshot {snapshot.Name}"), ReportJson.Default.DoneReport);
            else Console.WriteLine($"Deleted snapshot {snapshot.Name}; the silos remove their files.");
        });
        return command;
    }
}
