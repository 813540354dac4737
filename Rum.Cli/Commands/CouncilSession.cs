using System.CommandLine;
using System.Net;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;

namespace Rum.Cli.Commands;

/// <summary>Asks the council for a command, and turns what goes wrong into a message and an exit code.</summary>
internal sealed class CouncilSession : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private readonly CancellationToken _cancellation;
    private readonly RemoteCouncil _council;

    private CouncilSession(IReadOnlyList<IPEndPoint> addresses, CancellationToken cancellation)
    {
        _council = new RemoteCouncil(addresses, Patience);
        _cancellation = cancellation;
    }

    public static CouncilSession Open(ClusterOptions options, ParseResult parsed, CancellationToken cancellation) =>
        new(options.Addresses(parsed), cancellation);

    public async Task<T> AskAsync<T>(CouncilRequest request)
        where T : CouncilAnswer
    {
        CouncilAnswer answer;
        try
        {
            answer = await _council.AskAsync(request, _cancellation);
        }
        catch (CouncilUnreachableException e)
        {
            string start = IPAddress.IsLoopback(_council.Address.Address) ? "rum silo run --dev" : "rum silo run --machines machines.csv --memory 4G";
            throw new CommandFailedException(ExitCode.NoSilo, $"{e.Message}\nStart one with: {start}");
        }
        if (answer.Error == RumError.None) return (T)answer;
        throw new CommandFailedException(ExitCode.Failed, $"{answer.Message} ({answer.Error})");
    }

    /// <summary>A whole list, page by page. <paramref name="ask"/> makes the request for what is behind an id; the items come in the order of theirs.</summary>
    public async Task<List<TItem>> ListAsync<TAnswer, TItem>(Func<ulong, CouncilRequest> ask, Func<TAnswer, (IEnumerable<TItem> Items, bool More)> items, Func<TItem, ulong> id)
        where TAnswer : CouncilAnswer
    {
        var all = new List<TItem>();
        for (bool more = true; more;)
        {
            int before = all.Count;
            (IEnumerable<TItem> next, more) = items(await AskAsync<TAnswer>(ask(before == 0 ? 0 : id(all[^1]))));
            all.AddRange(next);
            more &= all.Count > before;
        }
        return all;
    }

    public async Task<Result> DecideAsync(Core.Council.Command command, RequestId id = default)
    {
        CommandAnswer answer = await AskAsync<CommandAnswer>(new CommandRequest(id, command));
        if (answer.Result.Error != RumError.None) throw new CommandFailedException(ExitCode.Failed, $"{answer.Result.Message} ({answer.Result.Error})");
        return answer.Result;
    }

    public void Dispose() => _council.Dispose();
}
