using System.CommandLine;
using Rum.Cli.Output;
using Rum.Core;
using Rum.Core.Configuration;
using Rum.Core.Council;
using Rum.Silo.Reporting;
using Command = System.CommandLine.Command;

namespace Rum.Cli.Commands;

/// <summary><c>rum session</c>.</summary>
internal static class SessionCommands
{
    public static Command Build() => new("session", "Programs that use the cluster") { BuildList() };

    private static ExampleCommand BuildList()
    {
        var command = new ExampleCommand("list", "Open sessions", "rum session list", "rum session list --json");
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            List<SessionReport> all = await council.ListAsync<SessionsAnswer, SessionReport>(
                after => new ListSessions(new SessionId(after), CouncilMachine.ListMax),
                answer => (answer.Sessions.Select(ReportMapper.Report), answer.More), session => session.Id);
            if (parsed.GetValue(options.Json)) Report.Json(all, ReportJson.Default.IReadOnlyListSessionReport);
            else if (all.Count == 0) Console.WriteLine("No session is open.");
            else Print(all);
        });
        return command;
    }

    private static void Print(List<SessionReport> sessions) => Report.Table(
        [">id", "client", "tenant", ">lease", ">anonymous", ">segments"],
        sessions.Select(s => (IReadOnlyList<string>)
        [
            $"{s.Id}", s.Client, s.Tenant, TimeSpanText.Format(TimeSpan.FromMilliseconds(s.LeaseMs)), ByteSize.Format(s.AnonymousBytes), $"{s.Segments}",
        ]));
}
