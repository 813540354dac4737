using System.CommandLine;
using System.Globalization;
using Rum.Cli.Output;
using Rum.Core;
using Rum.Core.Configuration;
using Rum.Core.Council;
using Rum.Silo.Reporting;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <summary><c>rum segment</c>.</summary>
internal static class SegmentCommands
{
    private const string WhichHelp = "Its number, its 32 hex digits, or its name";

    public static Command Build() => new("segment", "What is allocated") { BuildList(), BuildShow(), BuildDelete() };

    private static ExampleCommand BuildList()
    {
        var command = new ExampleCommand("list", "All segments", "rum segment list", "rum segment list --json");
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            ClusterView view = await ViewAsync(council);
            List<SegmentReport> all = await council.ListAsync<SegmentsAnswer, SegmentReport>(
                after => new ListSegments(new SegmentId(after), CouncilMachine.ListMax),
                answer => (answer.Segments.Select(s => ReportMapper.Report(s, view)), answer.More), segment => segment.Id);
            if (parsed.GetValue(options.Json)) Report.Json(all, ReportJson.Default.IReadOnlyListSegmentReport);
            else if (all.Count == 0) Console.WriteLine("Nothing is allocated.");
            else Print(all);
        });
        return command;
    }

    private static ExampleCommand BuildShow()
    {
        var which = new Argument<string>("segment") { Description = WhichHelp };
        var command = new ExampleCommand("show", "One segment and where its extents are", "rum segment show 17", "rum segment show table-of-users") { which };
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            SegmentDetailsReport details = ReportMapper.Report(await FindAsync(council, parsed.GetRequiredValue(which)), await ViewAsync(council));
            if (parsed.GetValue(options.Json)) Report.Json(details, ReportJson.Default.SegmentDetailsReport);
            else Print(details);
        });
        return command;
    }

    private static ExampleCommand BuildDelete()
    {
        var which = new Argument<string>("segment") { Description = WhichHelp };
        var command = new ExampleCommand("delete", "Free a named segment; its pages are gone", "rum segment delete table-of-users") { which };
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            SegmentInfo info = (await FindAsync(council, parsed.GetRequiredValue(which))).Info;
            if (info.Key == UInt128.Zero)
            {
                throw new CommandFailedException(
                    ExitCode.Failed, $"{info.Id} is anonymous memory of {info.Owner}; it goes when its program frees it or ends");
            }
            await council.DecideAsync(new Free(default, default, info.Key));
            string name = $"segment {info.Id.Value}";
            if (parsed.GetValue(options.Json)) Report.Json(new DoneReport("delete", name), ReportJson.Default.DoneReport);
            else Console.WriteLine($"Deleted {name} ({ByteSize.Format(info.Size)}).");
        });
        return command;
    }

    private static async Task<ClusterView> ViewAsync(CouncilSession council) => (await council.AskAsync<ViewAnswer>(new GetView(0))).View!;

    // A number is an id; 32 hex digits are a key; anything else is a name, whose hash is the key.
    private static async Task<SegmentDetails> FindAsync(CouncilSession council, string which)
    {
        ShowSegment request = ulong.TryParse(which, NumberStyles.None, CultureInfo.InvariantCulture, out ulong id) && which.Length < 20
            ? new ShowSegment(UInt128.Zero, new SegmentId(id))
            : new ShowSegment(SegmentKey.TryParse(which, out SegmentKey key) ? key.Value : SegmentKey.FromName(which).Value, default);
        return (await council.AskAsync<SegmentAnswer>(request)).Details!;
    }

    private static void Print(List<SegmentReport> segments) => Report.Table(
        [">id", "key", ">size", ">charged", "kind", ">silo", ">owner", ">writer", ">readers"],
        segments.Select(s => (IReadOnlyList<string>)
        [
            $"{s.Id}", s.Key.Length == 0 ? "(anonymous)" : s.Key, ByteSize.Format(s.SizeBytes), ByteSize.Format(s.ChargedBytes), Kind(s), Number((ulong)s.Silo),
            Number(s.Owner), Number(s.Writer), $"{s.Readers}",
        ]));

    private static void Print(SegmentDetailsReport details)
    {
        SegmentReport segment = details.Segment;
        Console.WriteLine($"segment     {segment.Id}");
        Console.WriteLine($"key         {(segment.Key.Length == 0 ? "(anonymous)" : segment.Key)}");
        Console.WriteLine($"size        {ByteSize.Format(segment.SizeBytes)} ({segment.SizeBytes} bytes)");
        Console.WriteLine($"kind        {Kind(segment)}, {segment.Copies} {(segment.Copies == 1 ? "copy" : "copies")} of each page");
        Console.WriteLine($"writer      {(segment.Writer == 0 ? "none" : $"session {segment.Writer}")}, token {details.Token}");
        Console.WriteLine($"readers     {segment.Readers}");
        Console.WriteLine($"first shard {details.FirstShard}");
        Console.WriteLine();
        Report.Table(
            [">silo", ">extents", ">charged"],
            details.Places.Select(p => (IReadOnlyList<string>)[p.Silo == 0 ? "lost" : $"{p.Silo}", $"{p.Extents}", ByteSize.Format(p.Bytes)]));
    }

    private static string Kind(SegmentReport s) => (s.Pinned ? "pinned" : "spread") + (s.Sparse ? ", sparse" : "");

    private static string Number(ulong session) => session == 0 ? "" : $"{session}";
}
