using System.Diagnostics;
using System.Globalization;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.Core.Wire;
using Rum.FastPath.Frames;

namespace Rum.Cli.Bench;

/// <summary>
/// <c>rum bench size</c>: what a council of so many silos keeps, decides and tells its clients. The real state machine and codecs without a network: only times depend on the machine.
/// </summary>
internal static class ClusterSize
{
    private const long Capacity = 64L << 30;
    private const int SilosARack = 40;
    private static readonly string[] Titles =
    [
        "silos", "state", "bytes a silo", "join", "suspect", "allocate", "view", "in one message", "client map", "max/mean", "empty silos", "join takes ms", "death takes ms",
    ];

    /// <summary>Prints a line for each size. A program with a named segment of 1 GiB stands for each silo.</summary>
    public static int Run(IReadOnlyList<int> sizes, int shards, byte copies)
    {
        Console.WriteLine($"{shards} ring shards, {copies} {(copies == 1 ? "copy" : "copies")} of each page, silos of {Capacity >> 30} GiB, a session with a named segment of 1 GiB for each; bytes unless said otherwise");
        Console.WriteLine($"| {string.Join(" | ", Titles)} |");
        Console.WriteLine($"|{string.Concat(Titles.Select(static _ => "---:|"))}");
        foreach (int silos in sizes) Console.WriteLine($"| {string.Join(" | ", Row(silos, shards, copies))} |");
        return ExitCode.Ok;
    }

    private static string[] Row(int silos, int shards, byte copies)
    {
        var machine = new CouncilMachine(new Guid("5aad0000-0000-4000-8000-000000000001"), 1, shards);
        ulong decree = 0;
        Say(machine, ++decree, default, new Configure(copies));
        for (int i = 0; i < silos - 1; i++) Say(machine, ++decree, default, new Join(Silo(i)));
        for (int i = 0; i < silos; i++)
        {
            var opened = (SessionResult)Say(machine, ++decree, default, new OpenSession((UInt128)(i + 1), "", $"program-{i}", 10_000));
            if (i > 0) Say(machine, ++decree, new RequestId(opened.Session, 0, 1), Segment(opened.Session, i));
        }
        var clock = Stopwatch.StartNew();
        Say(machine, ++decree, default, new Join(Silo(silos - 1)));
        double join = clock.Elapsed.TotalMilliseconds;

        byte[] state = CouncilSnapshot.Encode(machine);
        byte[] buffer = new byte[64 << 20];
        int view = AnswerCodec.Encode(buffer, new ViewAnswer(RumError.None, "", decree, machine.ViewDecree, machine.View));
        (double worst, int empty) = Loads(machine.View, copies, shards);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var map = new ShardMap(machine.View);
        long mapBytes = GC.GetAllocatedBytesForCurrentThread() - before;
        GC.KeepAlive(map);

        Member dead = machine.View.Members[silos / 2];
        clock.Restart();
        Say(machine, ++decree, default, new Suspect(dead.Id, dead.Incarnation));
        double death = clock.Elapsed.TotalMilliseconds;
        return
        [
            Number(silos), Number(state.Length), Number(state.Length / silos), Number(Bytes(buffer, new Join(Silo(silos - 1)))), Number(Bytes(buffer, new Suspect(dead.Id, dead.Incarnation))),
            Number(Bytes(buffer, Segment(new SessionId(1), 1))), Number(view), view <= FrameCodec.ControlMessageBytesMax ? "yes" : "no", Number(mapBytes),
            worst.ToString("F2", CultureInfo.InvariantCulture), Number(empty), join.ToString("F1", CultureInfo.InvariantCulture), death.ToString("F1", CultureInfo.InvariantCulture),
        ];
    }

    private static Allocate Segment(SessionId session, int number) => new(session, SegmentKey.FromName($"segment {number}").Value, 1L << 30, 0, SegmentFlags.None, default);

    // What silos say of themselves in a data centre, as long as it is there.
    private static Member Silo(int number)
    {
        string ip = $"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}";
        return new Member(
            default, $"{ip}:7400", new Incarnation((ulong)number + 1), $"{ip}:7400", $"http://{ip}:7480", "/run/rum/7400.sock", $"5aad0000-0000-4000-8000-{number:x12}", "",
            $"rack-{number / SilosARack}", Capacity, false);
    }

    // Over the shards of the block that the segments are in: the first one's are for single copies.
    private static (double Worst, int Empty) Loads(ClusterView view, byte copies, int shards)
    {
        var loads = new Dictionary<SiloId, int>();
        foreach (ShardView shard in view.Shards.Skip(copies == 1 ? 0 : shards).Take(shards))
            foreach (Replica replica in shard.Replicas) loads[replica.Silo] = loads.GetValueOrDefault(replica.Silo) + 1;
        double mean = (double)loads.Values.Sum() / view.Members.Count;
        return (loads.Values.Max() / mean, view.Members.Count - loads.Count);
    }

    private static int Bytes(byte[] buffer, Command command)
    {
        var to = new SpanWriter(buffer);
        CommandCodec.Write(ref to, new Proposal(new RequestId(command.Speaker, 0, 1), command));
        return to.Length;
    }

    private static Result Say(CouncilMachine machine, ulong decree, RequestId id, Command command)
    {
        Result result = machine.Apply(decree, id, command);
        return result.Error == RumError.None ? result : throw new BenchException($"the council refuses: {result.Message}");
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
