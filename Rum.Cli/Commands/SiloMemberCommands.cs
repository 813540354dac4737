using System.CommandLine;
using Rum.Cli.Output;
using Rum.Core.Council;
using Rum.Silo.Reporting;

namespace Rum.Cli.Commands;

/// <summary><c>rum silo drain</c> and <c>rum silo remove</c>: what an operator decides about a member.</summary>
internal static class SiloMemberCommands
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public static ExampleCommand BuildDrain()
    {
        var command = new ExampleCommand(
            "drain", "Empty a silo: its pages move to the others while they are used; ends when it is safe to stop", "rum silo drain 10.0.0.2:7400", "rum silo drain rack2-a --undo");
        Argument<string> name = Name(command);
        var undo = new Option<bool>("--undo") { Description = "Give it pages again" };
        var now = new Option<bool>("--no-wait") { Description = "Don't wait until it is empty" };
        command.Options.Add(undo);
        command.Options.Add(now);
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            MemberStatus silo = await FindAsync(council, parsed.GetRequiredValue(name));
            bool on = !parsed.GetValue(undo), waits = on && !parsed.GetValue(now), json = parsed.GetValue(options.Json);
            await council.DecideAsync(new Drain(silo.Member.Id, on));
            if (waits) await WaitAsync(council, silo.Member, json, cancellation);
            string detail = !on ? $"silo {silo.Member.Name} is given pages again"
                : waits ? $"silo {silo.Member.Name} holds nothing and has left: it is safe to stop"
                : $"silo {silo.Member.Name} is being emptied; rum status shows how far it is";
            Tell("drain", detail, json);
        });
        return command;
    }

    public static ExampleCommand BuildRemove()
    {
        var command = new ExampleCommand(
            "remove", "Take a silo for dead now instead of waiting until it is missed: other copies go on without it", "rum silo remove 10.0.0.2:7400");
        Argument<string> name = Name(command);
        ClusterOptions options = new ClusterOptions().AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using CouncilSession council = CouncilSession.Open(options, parsed, cancellation);
            MemberStatus silo = await FindAsync(council, parsed.GetRequiredValue(name));
            await council.DecideAsync(new Suspect(silo.Member.Id, silo.Member.Incarnation));
            string alone = silo.Alone == 0 ? "" : $"; {silo.Alone} shards have their only copy there and wait for it";
            Tell("remove", $"silo {silo.Member.Name} is taken for dead; when it is heard again it begins anew{alone}", parsed.GetValue(options.Json));
        });
        return command;
    }

    private static void Tell(string done, string detail, bool json)
    {
        if (json) Report.Json(new DoneReport(done, detail), ReportJson.Default.DoneReport);
        else Console.WriteLine(detail);
    }

    private static Argument<string> Name(ExampleCommand command)
    {
        var name = new Argument<string>("name") { Description = "The silo's name or number, as rum status shows it" };
        command.Arguments.Add(name);
        return name;
    }

    private static async Task<MemberStatus> FindAsync(CouncilSession council, string name)
    {
        ClusterStatus status = (await council.AskAsync<StatusAnswer>(new Describe())).Status;
        return status.Members.FirstOrDefault(m => m.Member.Name == name || $"{m.Member.Id.Value}" == name)
            ?? throw new CommandFailedException(ExitCode.Failed, $"no silo is called {name}; there are: {string.Join(", ", status.Members.Select(m => m.Member.Name))}");
    }

    // The decree that it has left is what counts, not that it looks empty.
    private static async Task WaitAsync(CouncilSession council, Member silo, bool quiet, CancellationToken cancellation)
    {
        int last = -1;
        while (true)
        {
            ClusterStatus status = (await council.AskAsync<StatusAnswer>(new Describe())).Status;
            MemberStatus? now = status.Members.FirstOrDefault(m => m.Member.Id == silo.Id);
            if (now is null || now.Member.State == MemberState.Left) return;
            if (now.Member.State != MemberState.Draining) throw new CommandFailedException(ExitCode.Failed, $"silo {silo.Name} is not draining any more");
            if (!quiet && now.ShardsInUse != last) Console.WriteLine($"{now.ShardsInUse} shards in use are there still, {status.Learning} are being copied");
            last = now.ShardsInUse;
            await Task.Delay(Pause, cancellation);
        }
    }
}
