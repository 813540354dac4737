using System.Text.Json;
using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Cli.Bench;

/// <content>DPDK: the bare loop in C, then RUM over the same virtual device, a CPU for each end.</content>
internal static partial class BenchCatalog
{
    private const string Vhost = "vhost";

    private static IEnumerable<BenchStep> Dpdk() =>
    [
        BareDpdk("floor.dpdk.vhost", 1),
        BareDpdk("floor.dpdk.vhost.32", 32),
        RoundTrip("rtt.vhost", Vhost, 1) with { Of = _ => "floor.dpdk.vhost", Missing = NoDpdk, Quick = [] },
        RoundTrip("rtt.vhost.32", Vhost, 32) with { Of = _ => "floor.dpdk.vhost.32", RatioOfRates = true, Missing = NoDpdk },
        Fault(["fault.read.vhost"], "read", Vhost, SplitOnly, [], "floor.pager") with { Missing = NoDpdk },
        Fault(["fault.write.vhost"], "write", Vhost, SplitOnly, [], "floor.pager.write") with { Missing = NoDpdk },
        Fault(["scan.vhost"], "scan", Vhost, SplitOnly, [], "memcpy", rates: true) with { Missing = NoDpdk },
    ];

    private static BenchStep BareDpdk(string name, int depth) =>
        new([name], SplitOnly, 1, (context, layout) =>
        {
            string directory = Directory.CreateTempSubdirectory("rum-bench-dpdk-").FullName;
            try
            {
                List<string> arguments = ["--dir", directory, "--depth", Text(depth), "--ops", Text(context.Quick ? 50_000 : 200_000)];
                if (layout.ProgramCpu() is int cpu) arguments.AddRange(["--cpu", Text(cpu)]);
                if (layout.ServerCpu() is int other) arguments.AddRange(["--server-cpu", Text(other)]);
                JsonElement printed = context.RunProgram(context.Program("dpdk"), arguments)[^1];
                return new Dictionary<string, Sample> { [name] = BenchContext.ToSample(printed) };
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        })
        {
            Missing = NoDpdk,
        };

    private static string? NoDpdk()
    {
        CheckResult library = HostCheck.Library();
        return library.State == CheckState.Good ? null : library.Found;
    }
}
