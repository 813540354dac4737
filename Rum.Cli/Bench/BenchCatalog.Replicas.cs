using System.Text.Json;

namespace Rum.Cli.Bench;

/// <content>Copies: writes to one, two and three silos side by side, beside them (apart) as many writes of pages that are no copies, and reads of pages that have so many.</content>
internal static partial class BenchCatalog
{
    private const int CopiesMax = 3;

    private static IEnumerable<BenchStep> Replicas() => Transports.Select(transport =>
        new BenchStep(
            [.. from copies in Enumerable.Range(1, CopiesMax) from what in KindsOf(copies) select $"cluster.{what}.{transport}.{copies}"],
            SplitOnly, 1, (context, layout) => RunReplicas(context, layout, transport))
        {
            Of = name => name.EndsWith(".1", StringComparison.Ordinal) ? null : name[..^1].Replace(".apart", "", StringComparison.Ordinal) + "1",
        });

    // Apart: silos that know nothing of each other, as many of them. What copies cost above that is replication's; what that costs above one is the machine's.
    private static string[] KindsOf(int copies) => copies == 1 ? ["write", "read"] : ["write", "write.apart", "read"];

    // All in one run and in turn, against the same silos: what disturbs one disturbs the others.
    private static Dictionary<string, Sample> RunReplicas(BenchContext context, BenchLayout layout, string transport)
    {
        using BenchCluster silos = BenchCluster.Start(CopiesMax, transport, layout.ServerCpu());
        var samples = new Dictionary<string, List<Sample>>();
        for (int turn = 0; turn < (context.Quick ? 3 : 5); turn++)
        {
            for (int copies = 1; copies <= CopiesMax; copies++)
            {
                foreach (string what in KindsOf(copies))
                {
                    List<string> arguments =
                    [
                        "bench", "round-trip", "--machines", silos.MachinesFile, "--transport", transport, "--copies", Text(copies), "--ops", "20000", "--peers", silos.ProcessIds,
                    ];
                    if (what != "read") arguments.Add(what == "write" ? "--write" : "--apart");
                    JsonElement printed = context.RunRum(layout, arguments)[^1];
                    string name = $"cluster.{what}.{transport}.{copies}";
                    if (!samples.TryGetValue(name, out List<Sample>? taken)) samples[name] = taken = [];
                    taken.Add(BenchContext.ToSample(printed));
                }
            }
        }
        return samples.ToDictionary(one => one.Key, one => one.Value.OrderBy(sample => sample.P50Us).ElementAt(one.Value.Count / 2));
    }
}
