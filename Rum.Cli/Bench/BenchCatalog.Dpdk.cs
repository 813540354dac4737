using System.Text.Json;
using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Cli.Bench;

/// <content>
/// DPDK, a CPU for each end: the bare loop in C, our driver alone in the same loop, page client and page server over it, faults. Over vhost, and over packet sockets at the ends
/// of a wire, beside UDP on the same wire.
/// </content>
internal static partial class BenchCatalog
{
    private const string Vhost = "vhost", Packet = "packet", Veth = "veth";

    private static IEnumerable<BenchStep> Dpdk() =>
    [
        .. OverDpdk(Vhost, NoDpdk),
        RoundTrip("rtt.veth", Veth, 1) with { Missing = BenchWire.Missing, Quick = [] },
        RoundTrip("rtt.veth.32", Veth, 32) with { Missing = BenchWire.Missing },
        .. OverDpdk(Packet, static () => NoDpdk() ?? BenchWire.Missing()),
    ];

    private static IEnumerable<BenchStep> OverDpdk(string way, Func<string?> missing)
    {
        BenchStep[] steps =
        [
            DpdkLoop($"floor.dpdk.{way}", way, 1, bare: true),
            DpdkLoop($"floor.dpdk.{way}.32", way, 32, bare: true),
            DpdkLoop($"driver.{way}", way, 1, bare: false) with { Of = _ => $"floor.dpdk.{way}" },
            DpdkLoop($"driver.{way}.32", way, 32, bare: false) with { Of = _ => $"floor.dpdk.{way}.32", RatioOfRates = true },
            RoundTrip($"rtt.{way}", way, 1) with { Of = _ => $"floor.dpdk.{way}", Quick = [] },
            RoundTrip($"rtt.{way}.32", way, 32) with { Of = _ => way == Packet ? "rtt.veth.32" : $"floor.dpdk.{way}.32", RatioOfRates = true },
            Fault([$"fault.read.{way}"], "read", way, SplitOnly, [], "floor.pager"),
            Fault([$"fault.write.{way}"], "write", way, SplitOnly, [], "floor.pager.write"),
            Fault([$"scan.{way}"], "scan", way, SplitOnly, [], "memcpy", rates: true),
        ];
        return steps.Select(step => step with { Missing = missing });
    }

    private static BenchStep DpdkLoop(string name, string way, int depth, bool bare) =>
        new([name], SplitOnly, 1, (context, layout) =>
        {
            string kind = "driver." + way;
            int rounds = context.Quick ? 50_000 : 200_000;
            if (!bare)
            {
                BenchServer server = context.Server(kind, layout);
                return new Dictionary<string, Sample>
                {
                    [name] = BenchContext.ToSample(context.RunRum(context.At(kind), layout,
                        ["bench", "driver", "--dpdk", server.DpdkOfClient, "--depth", Text(depth), "--ops", Text(rounds), "--peers", Text(server.ProcessId)])[^1]),
                };
            }
            context.StopServers();
            string directory = Directory.CreateTempSubdirectory("rum-bench-dpdk-").FullName;
            try
            {
                List<string> command =
                [
                    .. context.At(kind), context.Program("dpdk"), "--server", BenchDevices.OfSilo(way, directory), "--client", BenchDevices.OfProgram(way, directory),
                    "--depth", Text(depth), "--ops", Text(rounds),
                ];
                if (BenchServer.NeedsWire(kind)) command.AddRange(["--server-net", context.Wire.SiloNet]);
                if (layout.ProgramCpu() is int cpu) command.AddRange(["--cpu", Text(cpu)]);
                if (layout.ServerCpu() is int other) command.AddRange(["--server-cpu", Text(other)]);
                return new Dictionary<string, Sample> { [name] = BenchContext.ToSample(context.Run([.. command])[^1]) };
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        });

    // Which server stands at the other end, and what the program is told.
    private static string ServerOf(string transport) => transport is Vhost or Packet or Veth ? "silo." + transport : "silo";

    private static string TransportOf(string transport) => transport switch
    {
        Vhost or Packet => "dpdk",
        Veth => "udp",
        _ => transport,
    };

    private static string? NoDpdk()
    {
        CheckResult library = HostCheck.Library();
        return library.State == CheckState.Good ? null : library.Found;
    }
}
