using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Cli.Bench;

/// <content>
/// DPDK, a CPU for each end: the bare loop in C, our driver alone in the same loop, page client and page server over it, faults. Over vhost, and over packet sockets at the ends
/// of a wire, beside UDP on the same wire.
/// </content>
internal static partial class BenchCatalog
{
    private const int StageRounds = 100_000;
    private const string Vhost = "vhost", Packet = "packet", Veth = "veth", Lossy = "lossy.packet";

    private static IEnumerable<BenchStep> Dpdk() =>
    [
        .. OverDpdk(Vhost, NoDpdk),
        RoundTrip("rtt.veth", Veth, 1) with { Missing = BenchWire.Missing, Quick = [] },
        RoundTrip("rtt.veth.32", Veth, 32) with { Missing = BenchWire.Missing },
        .. OverDpdk(Packet, static () => NoDpdk() ?? BenchWire.Missing()),
        Losses() with { Missing = static () => NoDpdk() ?? BenchWire.Missing() ?? (OnPath("nft") ? null : "nft is not installed") },
        Fairness() with { Missing = NoDpdk },
    ];

    private static IEnumerable<BenchStep> OverDpdk(string way, Func<string?> missing)
    {
        BenchStep[] steps =
        [
            DpdkLoops(way, 1),
            DpdkLoops(way, 32) with { RatioOfRates = true },
            RoundTrip($"rtt.{way}", way, 1) with { Of = _ => $"floor.dpdk.{way}", Quick = [] },
            RoundTrip($"rtt.{way}.32", way, 32) with { Of = _ => way == Packet ? "rtt.veth.32" : $"floor.dpdk.{way}.32", RatioOfRates = true },
            Fault([$"fault.read.{way}"], "read", way, SplitOnly, [], "floor.pager"),
            Stages(way),
            Fault([$"fault.write.{way}"], "write", way, SplitOnly, [], "floor.pager.write"),
            Fault([$"scan.{way}"], "scan", way, SplitOnly, [], "memcpy", rates: true),
        ];
        return steps.Select(step => step with { Missing = missing });
    }

    // By turns within one run: how fast a cache line gets from one CPU to the other may change from one second to the next on a virtual machine, and decides both.
    private static BenchStep DpdkLoops(string way, int depth)
    {
        string suffix = depth == 1 ? way : $"{way}.{depth}", floor = "floor.dpdk." + suffix, driver = "driver." + suffix;
        return new BenchStep([floor, driver], SplitOnly, 1, (context, layout) => new Dictionary<string, Sample>
        {
            [floor] = BareLoop(context, layout, way, depth),
            [driver] = DriverLoop(context, layout, way, depth),
        })
        {
            Of = name => name == driver ? floor : null,
        };
    }

    private static int Rounds(BenchContext context, int depth) => (context.Quick ? 50_000 : 200_000) * (depth == 1 ? 1 : 3);

    private static Sample DriverLoop(BenchContext context, BenchLayout layout, string way, int depth)
    {
        string kind = "driver." + way;
        BenchServer server = context.Server(kind, layout);
        return BenchContext.ToSample(context.RunRum(context.At(kind), layout,
            ["bench", "driver", "--dpdk", server.DpdkOfClient, "--depth", Text(depth), "--ops", Text(Rounds(context, depth)), "--peers", Text(server.ProcessId)])[^1]);
    }

    private static Sample BareLoop(BenchContext context, BenchLayout layout, string way, int depth)
    {
        string kind = "driver." + way;
        // The driver's other end polls, too.
        context.StopServers();
        string directory = Directory.CreateTempSubdirectory("rum-bench-dpdk-").FullName;
        try
        {
            List<string> command =
            [
                .. context.At(kind), context.Program("dpdk"), "--server", BenchDevices.OfSilo(way, directory), "--client", BenchDevices.OfProgram(way, directory),
                "--depth", Text(depth), "--ops", Text(Rounds(context, depth)),
            ];
            if (BenchServer.NeedsWire(kind)) command.AddRange(["--server-net", context.Wire.SiloNet]);
            if (layout.ProgramCpu() is int cpu) command.AddRange(["--cpu", Text(cpu)]);
            if (layout.ServerCpu() is int other) command.AddRange(["--server-cpu", Text(other)]);
            return BenchContext.ToSample(context.Run([.. command])[^1]);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Where the time of a read fault goes: program, pager and silo note the moments.</summary>
    private static BenchStep Stages(string way)
    {
        string prefix = $"stages.{way}.", whole = prefix + FaultStages.Whole;
        return new BenchStep([.. FaultStages.Names.Select(name => prefix + name)], SplitOnly, 1, (context, layout) =>
        {
            string kind = "silo.traced." + way;
            // A trace is of one run.
            context.StopServers();
            BenchServer silo = context.Server(kind, layout);
            List<string> command = [.. context.At(kind), context.Program("fault"), "--pattern", "read", "--mib", Text(context.Mib), "--ops", Text(StageRounds), "--threads", "1",
                "--peers", Text(silo.ProcessId), "--trace", silo.Trace("program")];
            if (layout.ProgramCpu() is int cpu) command.AddRange(["--cpu", Text(cpu)]);
            Sample run = BenchContext.ToSample(context.Run([.. command],
                ("RUM_MACHINES", silo.MachinesFile), ("RUM_TRANSPORT", "dpdk"), ("RUM_DPDK", silo.DpdkOfClient), ("RUM_CACHE", Text(context.CacheMib) + "M"))[^1]);
            return FaultStages.Of(silo.Trace("program"), silo.Trace("client"), silo.Trace("silo"), run).ToDictionary(one => prefix + one.Key, one => one.Value);
        })
        {
            Of = name => name == whole ? $"fault.read.{way}" : whole,
        };
    }

    private const int LossRounds = 50_000;

    /// <summary>Frames lost on their way, in each direction by so many in a thousand.</summary>
    private static BenchStep Losses()
    {
        int[] shares = [0, 1, 10, 50];
        string[] names = [.. shares.Select(share => $"loss.fault.{share}"), .. shares.Select(share => $"loss.rtt.32.{share}")];
        return new BenchStep(names, SplitOnly, 1, (context, layout) =>
        {
            var samples = new Dictionary<string, Sample>();
            foreach (int share in shares)
            {
                context.LossyWire.Lose(share);
                samples[$"loss.fault.{share}"] = RunFault(context, layout, "read", Lossy, 1, Handler, LossRounds);
                samples[$"loss.rtt.32.{share}"] = RunRoundTrip(context, layout, Lossy, 32, LossRounds);
            }
            context.LossyWire.Lose(0);
            return samples;
        })
        {
            Of = name => name.EndsWith(".0", StringComparison.Ordinal) ? null : name[..(name.LastIndexOf('.') + 1)] + "0",
            RatioOfRates = true,
        };
    }

    /// <summary>Eight programs on one CPU, each on a port of its own of one silo on the other: the slowest and the fastest of them.</summary>
    private static BenchStep Fairness() =>
        new(["fair.slowest", "fair.fastest"], SplitOnly, 1, (context, layout) =>
        {
            BenchServer silo = context.Server("silo.eight.vhost", layout);
            string command = $"'{context.Program("fault")}' --pattern read --mib 32 --ops {Text(context.Quick ? 10_000 : 40_000)} --threads 1 --cpu {layout.ProgramCpu()} --peers {silo.ProcessId}";
            string all = string.Concat(Enumerable.Range(0, BenchDevices.Ports).Select(i => $"RUM_DPDK='{silo.DpdkOf(i)}' {command} & ")) + "wait";
            Sample[] each = [.. context.Run(["/bin/sh", "-c", all], ("RUM_MACHINES", silo.MachinesFile), ("RUM_TRANSPORT", "dpdk"), ("RUM_CACHE", "4M"))
                .Select(BenchContext.ToSample).OrderBy(sample => sample.OpsPerSecond)];
            if (each.Length != BenchDevices.Ports) throw new BenchException($"{each.Length} of {BenchDevices.Ports} programs came to an end");
            // To each of them the others are foreign.
            return new Dictionary<string, Sample> { ["fair.slowest"] = each[0] with { ForeignPct = 0 }, ["fair.fastest"] = each[^1] with { ForeignPct = 0 } };
        })
        {
            Of = name => name == "fair.fastest" ? "fair.slowest" : null,
            RatioOfRates = true,
        };

    // Which server stands at the other end, and what the program is told.
    private static string ServerOf(string transport) => transport is Vhost or Packet or Veth or Lossy ? "silo." + transport : "silo";

    private static string TransportOf(string transport) => transport switch
    {
        Vhost or Packet or Lossy => "dpdk",
        Veth => "udp",
        _ => transport,
    };

    private static string? NoDpdk()
    {
        CheckResult library = HostCheck.Library();
        return library.State == CheckState.Good ? null : library.Found;
    }
}
