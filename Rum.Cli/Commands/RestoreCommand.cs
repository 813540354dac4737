using System.CommandLine;
using Rum.Cli.Output;
using Rum.Core;
using Rum.Core.Configuration;
using Rum.Silo.Control;
using Rum.Silo.Council;
using Rum.Silo.Reporting;
using Rum.Silo.Snapshots;

namespace Rum.Cli.Commands;

/// <summary><c>rum snapshot restore</c>.</summary>
internal static class RestoreCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(2);

    public static ExampleCommand Build()
    {
        var from = new Option<string[]>("--from")
        {
            Description = "The snapshot directories of the former silos, copied here where they were on other machines (or single files)",
            HelpName = "directory...",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var name = new Option<string?>("--name") { Description = "Which snapshot (default: the newest)", HelpName = "name" };
        var replace = new Option<bool>("--replace") { Description = "End all sessions, and free segments that have the same keys, first" };
        var accept = new Option<bool>("--accept-loss") { Description = "Go on although no file holds some of the shards: what was in them comes back as lost" };
        var command = new ExampleCommand(
            "restore",
            "Bring back the named segments of a snapshot into an empty cluster, of as many silos as there are now. Exits with 4 when something came back as lost.",
            "rum snapshot restore --machines machines.csv --from /var/lib/rum/snapshots",
            "rum snapshot restore --machines machines.csv --from silo1/snapshots silo2/snapshots silo3/snapshots --name before-upgrade") { from, name, replace, accept };
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var wrong = new List<string>();
            using SnapshotSet? set = SnapshotSet.Find(parsed.GetRequiredValue(from), parsed.GetValue(name), wrong, out string none);
            foreach (string line in wrong) Console.Error.WriteLine($"rum: {line}");
            if (set is null) throw new CommandFailedException(ExitCode.Failed, none);
            IReadOnlyList<ShardId> uncovered = set.Uncovered();
            if (uncovered.Count > 0 && !parsed.GetValue(accept))
            {
                throw new CommandFailedException(
                    ExitCode.Failed, $"{uncovered.Count} shards of snapshot {set.Header.Name} are in none of its {set.Files.Count} files given: is another silo's directory missing? "
                    + "Nothing was changed. With --accept-loss what was in them comes back as lost.");
            }
            bool json = parsed.GetValue(options.Json);
            using var council = new RemoteCouncil(options.Addresses(parsed), Patience);
            var restorer = new Restorer(set, council, line => Console.Error.WriteLine($"rum: {line}"));
            await RunAsync(restorer, set, parsed.GetValue(replace), cancellation);
            var report = new RestoreReport(
                set.Header.Name, set.Header.Segments.Count, set.Header.Segments.Sum(static segment => segment.Size), restorer.Pages,
                [.. restorer.Lost.Select(static lost => new LostExtentReport(new SegmentKey(lost.Key).ToString(), lost.Extent))]);
            if (json) Report.Json(report, ReportJson.Default.RestoreReport);
            else Print(report, set);
            return report.Lost.Count == 0 ? ExitCode.Ok : ExitCode.RestoredInPart;
        });
        return command;
    }

    private static async Task RunAsync(Restorer restorer, SnapshotSet set, bool replace, CancellationToken cancellation)
    {
        Console.Error.WriteLine($"restoring snapshot {set.Header.Name} of cluster {set.Header.ClusterId}: {set.Header.Segments.Count} segments from {set.Files.Count} files");
        Task running = restorer.RunAsync(replace, cancellation);
        try
        {
            while (await Task.WhenAny(running, Task.Delay(TellEvery, cancellation)) != running)
            {
                cancellation.ThrowIfCancellationRequested();
                (long read, long all) = restorer.Progress;
                Console.Error.WriteLine($"read {ByteSize.Format(read)} of {ByteSize.Format(all)}");
            }
            await running;
        }
        catch (CouncilUnreachableException e)
        {
            throw new CommandFailedException(ExitCode.NoSilo, e.Message);
        }
        catch (Exception e) when (e is CouncilRefusedException or IOException)
        {
            throw new CommandFailedException(ExitCode.Failed, e.Message);
        }
    }

    private static void Print(RestoreReport report, SnapshotSet set)
    {
        Console.WriteLine(
            $"Restored snapshot {report.Snapshot} of {DateTimeOffset.FromUnixTimeMilliseconds(set.Header.TimeMs).LocalDateTime:yyyy-MM-dd HH:mm:ss}: {report.Segments} named "
            + $"{(report.Segments == 1 ? "segment" : "segments")} ({ByteSize.Format(report.SegmentBytes)}), {report.Pages} pages.");
        foreach (LostExtentReport lost in report.Lost)
            Console.WriteLine($"Lost: extent {lost.Extent} of segment {lost.Key} (bytes {lost.Extent << Layout.ExtentShift} to {((lost.Extent + 1) << Layout.ExtentShift) - 1}): no file holds it whole; accesses fail and say so.");
    }
}
