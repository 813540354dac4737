using System.Globalization;
using System.Text.Json;

namespace Rum.Cli.Bench;

/// <summary>Everything that <c>rum bench</c> measures, in the order in which it is measured.</summary>
internal static class BenchCatalog
{
    private static readonly BenchLayout[] All = [BenchLayout.Split, BenchLayout.One, BenchLayout.Free];
    private static readonly BenchLayout[] Pinned = [BenchLayout.Split, BenchLayout.One];
    // The probe never gives its CPU away: a silo on the same one would get a slice now and then.
    private static readonly BenchLayout[] SplitOnly = [BenchLayout.Split];
    private static readonly BenchLayout[] OneOnly = [BenchLayout.One];

    public static IReadOnlyList<BenchStep> Steps { get; } =
    [
        new("machine", OneOnly, 1, Machine),
        Fault("floor.pager", "read", "floor", OneOnly, null),
        Fault("floor.pager.write", "write", "floor", OneOnly, null),
        Fault("floor.pager.mixed", "mixed", "floor", OneOnly, null),
        Fault("floor.scan", "scan", "floor", OneOnly, "memcpy", rates: true),
        RoundTrip("rtt.shm", "shm", 1, SplitOnly),
        RoundTrip("rtt.shm.32", "shm", 32, SplitOnly),
        RoundTrip("rtt.udp", "udp", 1, SplitOnly),
        RoundTrip("rtt.udp.32", "udp", 32, SplitOnly),
        Fault("fault.read.shm", "read", "shm", All, "floor.pager"),
        Fault("fault.mixed.shm", "mixed", "shm", Pinned, "floor.pager.mixed"),
        Fault("evict.write.shm", "write", "shm", Pinned, "floor.pager.write", rates: true),
        Fault("scan.shm", "scan", "shm", Pinned, "memcpy", rates: true),
        Fault("fault.read.udp", "read", "udp", All, "floor.pager"),
        Fault("fault.mixed.udp", "mixed", "udp", Pinned, "floor.pager.mixed"),
        Fault("evict.write.udp", "write", "udp", Pinned, "floor.pager.write", rates: true),
        Fault("scan.udp", "scan", "udp", Pinned, "memcpy", rates: true),
        Fault("fault.read.shm.threads2", "read", "shm", Pinned, "fault.read.shm", threads: 2, rates: true) with { Slow = true },
        Fault("fault.read.shm.threads4", "read", "shm", Pinned, "fault.read.shm", threads: 4, rates: true) with { Slow = true },
        new("heap.64", OneOnly, 1, Heap) { Of = "malloc.64" },
        new("idle.cpu_us_per_s", [BenchLayout.Split], 1, Idle),
        Peer("peer.redis.get", "redis", "redis-server", "get", 1),
        Peer("peer.redis.set", "redis", "redis-server", "set", 1),
        Peer("peer.redis.get.32", "redis", "redis-server", "get", 32) with { Slow = true },
        Peer("peer.memcached.get", "memcached", "memcached", "get", 1),
        Peer("peer.memcached.set", "memcached", "memcached", "set", 1),
    ];

    private static BenchStep Fault(
        string name, string pattern, string transport, BenchLayout[] layouts, string? of, int threads = 1, bool rates = false) =>
        new(name, layouts, threads, (context, layout) => RunFault(context, layout, name, pattern, transport, threads))
        {
            Of = of,
            RatioOfRates = rates,
        };

    private static Dictionary<string, Sample> RunFault(
        BenchContext context, BenchLayout layout, string name, string pattern, string transport, int threads)
    {
        BenchServer silo = context.Server("silo", layout);
        int operations = (pattern == "scan" ? 10 : 1) * (context.Quick ? 40_000 : 200_000);
        List<string> arguments = ["--pattern", pattern, "--mib", Text(context.Mib), "--ops", Text(operations), "--threads", Text(threads)];
        if (layout.ProgramCpu() is int cpu) arguments.AddRange(["--cpu", Text(cpu)]);
        arguments.AddRange(["--peers", Text(silo.ProcessId)]);
        JsonElement printed = BenchContext.RunProgram(context.Program("fault"), arguments,
            ("RUM_MACHINES", silo.MachinesFile), ("RUM_TRANSPORT", transport), ("RUM_CACHE", Text(context.CacheMib) + "M"))[^1];
        return new() { [name] = BenchContext.ToSample(printed) };
    }

    private static BenchStep RoundTrip(string name, string transport, int depth, BenchLayout[] layouts) =>
        new(name, layouts, 1, (context, layout) =>
        {
            BenchServer silo = context.Server("silo", layout);
            List<string> arguments = ["bench", "round-trip", "--machines", silo.MachinesFile, "--transport", transport,
                "--depth", Text(depth), "--ops", Text(context.Quick ? 50_000 : 200_000), "--peers", Text(silo.ProcessId)];
            string program = Path.Combine(context.OutDirectory, "bin", "rum");
            if (layout.ProgramCpu() is int cpu)
            {
                arguments.InsertRange(0, ["-c", Text(cpu), program]);
                program = "taskset";
            }
            return new Dictionary<string, Sample> { [name] = BenchContext.ToSample(BenchContext.RunProgram(program, arguments)[^1]) };
        });

    private static BenchStep Peer(string name, string protocol, string server, string operation, int depth) =>
        new(name, Pinned, 1, (context, layout) =>
        {
            BenchServer running = context.Server(protocol, layout);
            List<string> arguments = ["--protocol", protocol, "--port", Text(running.Port), "--op", operation, "--depth", Text(depth),
                "--keys", Text(context.Mib * 256), "--ops", Text(context.Quick ? 20_000 : 100_000), "--peers", Text(running.ProcessId)];
            if (layout.ProgramCpu() is int cpu) arguments.AddRange(["--cpu", Text(cpu)]);
            return new Dictionary<string, Sample> { [name] = BenchContext.ToSample(BenchContext.RunProgram(context.Program("peer"), arguments)[^1]) };
        })
        {
            Missing = _ => OnPath(server) ? null : $"{server} is not installed (apt-get install {(protocol == "redis" ? "redis-server" : "memcached")})",
        };

    private static Dictionary<string, Sample> Machine(BenchContext context, BenchLayout layout) =>
        BenchContext.RunProgram(context.Program("floor"), ["--cpu", Text(layout.ProgramCpu() ?? 0)])
            .ToDictionary(printed => printed.GetProperty("name").GetString()!, BenchContext.ToSample);

    private static Dictionary<string, Sample> Heap(BenchContext context, BenchLayout layout)
    {
        BenchServer silo = context.Server("silo", layout);
        JsonElement printed = BenchContext.RunProgram(context.Program("heap"), ["--cpu", Text(layout.ProgramCpu() ?? 0)],
            ("RUM_MACHINES", silo.MachinesFile), ("RUM_CACHE", Text(context.CacheMib) + "M"))[^1];
        return new() { ["heap.64"] = BenchContext.ToSample(printed) };
    }

    private static Dictionary<string, Sample> Idle(BenchContext context, BenchLayout layout)
    {
        BenchServer silo = context.Server("silo", layout);
        JsonElement printed = BenchContext.RunProgram(context.Program("fault"),
            ["--pattern", "idle", "--mib", "32", "--ops", Text(context.Quick ? 5 : 20), "--peers", Text(silo.ProcessId)],
            ("RUM_MACHINES", silo.MachinesFile), ("RUM_TRANSPORT", "shm"), ("RUM_CACHE", "8M"))[^1];
        return new() { ["idle.cpu_us_per_s"] = BenchContext.ToSample(printed) };
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
