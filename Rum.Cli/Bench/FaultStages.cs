using System.Runtime.InteropServices;
using Rum.FastPath.Tracing;

namespace Rum.Cli.Bench;

/// <summary>
/// Puts the traces of a program, its pager and a silo together: which stage of a read fault takes how long. All three note CLOCK_MONOTONIC, which is one for a machine. Faults come one after the
/// other, so a moment belongs to the fault in whose time it lies; a fault of which one is missing (its record was overwritten, or a page came from elsewhere) isn't counted.
/// </summary>
internal static class FaultStages
{
    /// <summary>The whole fault; the other stages but the last two add up to it.</summary>
    public const string Whole = "fault";

    /// <summary>
    /// The stages in their order: the whole; until the pager has the fault; until the request is with the client's port; until the silo has it; until the answer is with the silo's port; until the
    /// client has it; until it is in its slot; mapped; until the program goes on. Then what of them the two ports' sends took.
    /// </summary>
    public static readonly string[] Names = [Whole, "taken", "asked", "request", "served", "answer", "landed", "mapped", "resumed", "sending.client", "sending.silo"];

    private const int Moments = 9;

    /// <summary>
    /// The figures by name: the 99th percentile of each stage, and as p50 the mean among the faults in the middle tenth by their whole time, so that the stages add up to the median fault.
    /// </summary>
    public static Dictionary<string, Sample> Of(string program, string client, string silo, Sample run)
    {
        List<long[]> faults = Join(Read(program), Read(client), Read(silo));
        if (faults.Count < 100) throw new BenchException($"only {faults.Count} faults have all their moments");
        faults.Sort(static (a, b) => a[0].CompareTo(b[0]));
        int from = faults.Count * 9 / 20, to = Math.Max(faults.Count * 11 / 20, from + 1);
        var samples = new Dictionary<string, Sample>();
        for (int stage = 0; stage < Names.Length; stage++)
        {
            double sum = 0;
            for (int i = from; i < to; i++) sum += faults[i][stage];
            long[] times = [.. faults.Select(fault => fault[stage]).Order()];
            samples[Names[stage]] = run with { P50Us = sum / (to - from) / 1e3, P99Us = times[(int)(times.Length * 0.99)] / 1e3, OpsPerSecond = stage == 0 ? run.OpsPerSecond : 0 };
        }
        return samples;
    }

    /// <summary>The stages of each fault in nanoseconds, in the order of <see cref="Names"/>. Each trace is in the order of time.</summary>
    internal static List<long[]> Join((long Ns, Stage Stage)[] program, (long Ns, Stage Stage)[] client, (long Ns, Stage Stage)[] silo)
    {
        var faults = new List<long[]>();
        int atClient = 0, atSilo = 0;
        Span<long> moments = stackalloc long[Moments];
        for (int i = 0; i + 1 < program.Length; i += 2)
        {
            (long begun, long ended) = (program[i].Ns, program[i + 1].Ns);
            while (atClient < client.Length && client[atClient].Ns < begun) atClient++;
            while (atSilo < silo.Length && silo[atSilo].Ns < begun) atSilo++;
            moments[0] = begun;
            moments[8] = ended;
            long sent = 0, answered = 0;
            bool whole = Find(client, atClient, Stage.Taken, begun, ended, out moments[1]) && Find(client, atClient, Stage.Sending, moments[1], ended, out moments[2])
                && Find(client, atClient, Stage.Sent, moments[2], ended, out sent)
                && Find(silo, atSilo, Stage.Received, moments[2], ended, out moments[3]) && Find(silo, atSilo, Stage.Sending, moments[3], ended, out moments[4])
                && Find(silo, atSilo, Stage.Sent, moments[4], ended, out answered)
                && Find(client, atClient, Stage.Received, moments[4], ended, out moments[5]) && Find(client, atClient, Stage.Mapping, moments[5], ended, out moments[6])
                && Find(client, atClient, Stage.Mapped, moments[6], ended, out moments[7]);
            if (!whole) continue;
            var fault = new long[Names.Length];
            fault[0] = ended - begun;
            for (int stage = 1; stage < Moments; stage++) fault[stage] = moments[stage] - moments[stage - 1];
            fault[Moments] = sent - moments[2];
            fault[Moments + 1] = answered - moments[4];
            faults.Add(fault);
        }
        return faults;
    }

    private static bool Find((long Ns, Stage Stage)[] trace, int from, Stage stage, long begun, long ended, out long ns)
    {
        for (int i = from; i < trace.Length && trace[i].Ns <= ended; i++)
        {
            if (trace[i].Stage != stage || trace[i].Ns < begun) continue;
            ns = trace[i].Ns;
            return true;
        }
        ns = 0;
        return false;
    }

    private static (long Ns, Stage Stage)[] Read(string path)
    {
        long[] records = MemoryMarshal.Cast<byte, long>(File.ReadAllBytes(path)).ToArray();
        const int StageMask = (1 << StageTrace.StageBits) - 1;
        return [.. records.Where(static record => record != 0).Order().Select(static record => (record >> StageTrace.StageBits, (Stage)(record & StageMask)))];
    }
}
