using System.Diagnostics;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;

namespace Rum.Cli.Bench;

/// <summary>What happens in a cluster when silos are taken for dead, done on purpose and timed. All but <see cref="Enough"/> is for one thread.</summary>
internal sealed partial class ClusterEvents : IDisposable
{
    private const string Name = "rum bench";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), LookEvery = TimeSpan.FromMilliseconds(2);

    private readonly BenchCluster _silos;
    private readonly RemoteCouncil _council;

    public ClusterEvents(BenchCluster silos)
    {
        _silos = silos;
        _council = silos.Council(TimeSpan.FromSeconds(10));
    }

    public void Dispose() => _council.Dispose();

    /// <summary>
    /// From the command that takes a silo for dead to the view in which its shards are the others': the decree and what a client fetches of it, without the time that detection takes. The silos'
    /// turns; each has at least so many shards in use as <paramref name="shardsMin"/>.
    /// </summary>
    public async Task<Sample> DieAsync(int rounds, int shardsMin)
    {
        var times = new List<double>();
        CpuAccount before = CpuAccount.Now(_silos.ProcessIds);
        for (int round = 0; round < rounds; round++)
        {
            ClusterStatus healed = await HealedAsync();
            MemberStatus dead = healed.Members.Single(member => member.Member.Endpoint == _silos.Endpoint(round % _silos.Count));
            if (dead.ShardsInUse < shardsMin) throw new BenchException($"{dead.Member.Name} has {dead.ShardsInUse} shards in use, fewer than {shardsMin}");
            var clock = Stopwatch.StartNew();
            Result decided = await DecideAsync(_council, default, new Suspect(dead.Member.Id, dead.Member.Incarnation));
            ClusterView view = ((ViewAnswer)await _council.AskAsync(new GetView(0), default)).View!;
            times.Add(clock.Elapsed.TotalMicroseconds);
            if (view.Decree < decided.Decree) throw new BenchException($"the view is of decree {view.Decree}, before the silo was taken for dead in {decided.Decree}");
        }
        (double steal, double foreign) = CpuAccount.Now(_silos.ProcessIds).Since(before);
        times.Sort();
        return new Sample(times[times.Count / 2], times[^1], 0, steal, foreign);
    }

    /// <summary>Makes a segment of so many bytes of which nothing is written.</summary>
    public async Task AllocateAsync(long bytes)
    {
        var opened = (SessionResult)await DecideAsync(_council, default, new OpenSession(2, "", Name, 600_000));
        await DecideAsync(_council, new RequestId(opened.Session, 0, 1), new Allocate(opened.Session, SegmentKey.FromName(Name).Value, bytes, 2, SegmentFlags.None, default));
    }

    /// <summary>Waits until all silos are up and every shard has its copies in sync.</summary>
    public async Task<ClusterStatus> HealedAsync()
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(LookEvery))
        {
            try
            {
                if (((StatusAnswer)await _council.AskAsync(new Describe(), default)).Status is { Incomplete: 0, Learning: 0 } status
                    && status.Members.Count(static member => member.Member.State == MemberState.Up) == _silos.Count) return status;
            }
            catch (CouncilUnreachableException)
            {
                // Nobody leads at the moment.
            }
            if (waited.Elapsed > Patience) throw new BenchException($"not within {Patience.TotalSeconds} s: all silos up with all copies in sync");
        }
    }

    private static async Task<Result> DecideAsync(RemoteCouncil council, RequestId id, Command command)
    {
        CouncilAnswer answer = await council.AskAsync(new CommandRequest(id, command), default);
        return answer is CommandAnswer { Result: { Error: RumError.None } result } ? result : throw new BenchException($"the council refuses: {answer}");
    }
}
