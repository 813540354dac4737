using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;

namespace Rum.Grains;

/// <summary>The council as grains ask it: commands marked as carried, and an unreachable council as a reply that says so. Any thread.</summary>
internal sealed class GrainCouncil(ICouncil council)
{
    // Shorter than a grain call may take, so that the caller gets an answer and not a time-out.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Has a command decided.</summary>
    public async Task<(GrainReply Reply, Result? Result)> DecideAsync(RequestMark mark, Command command)
    {
        var id = new RequestId(new SessionId(mark.Session), mark.Slot, mark.Counter);
        CouncilAnswer answer = await AskAsync(new CommandRequest(id, command) { Carried = true }).ConfigureAwait(false);
        return answer is CommandAnswer decided
            ? (new GrainReply((ushort)decided.Result.Error, decided.Result.Message, decided.Result.Decree, answer.ViewDecree), decided.Result)
            : (ReplyOf(answer), null);
    }

    /// <summary>Asks; Unavailable when the council doesn't answer.</summary>
    public async Task<CouncilAnswer> AskAsync(CouncilRequest request)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            CouncilAnswer answer = await council.AskAsync(request, patience.Token).ConfigureAwait(false);
            // Between two leaders: as good as no answer.
            return answer.Error is RumError.NotLeader ? answer with { Error = RumError.Unavailable } : answer;
        }
        catch (Exception e) when (e is CouncilUnreachableException or OperationCanceledException or ObjectDisposedException)
        {
            return new CouncilAnswer(RumError.Unavailable, e is CouncilUnreachableException ? e.Message : "the council did not answer in time", 0, 0);
        }
    }

    /// <summary>How a question went.</summary>
    public static GrainReply ReplyOf(CouncilAnswer answer) => new((ushort)answer.Error, answer.Message, answer.Decree, answer.ViewDecree);
}
