namespace Rum.Cli.Bench;

/// <content>Peers: key-value stores on loopback, and the kernel's own swap to compressed memory.</content>
internal static partial class BenchCatalog
{
    private static IEnumerable<BenchStep> Peers() =>
    [
        Store("peer.redis.get", "redis", "redis-server", "get", 1, Pinned),
        Store("peer.redis.set", "redis", "redis-server", "set", 1, []),
        Store("peer.redis.get.32", "redis", "redis-server", "get", 32, []),
        Store("peer.memcached.get", "memcached", "memcached", "get", 1, Pinned),
        Store("peer.memcached.set", "memcached", "memcached", "set", 1, []),
        Swap("peer.zram.read", "read"),
        Swap("peer.zram.write", "write"),
        Swap("peer.zram.scan", "scan"),
    ];

    private static BenchStep Store(string name, string protocol, string server, string operation, int depth, BenchLayout[] quick) =>
        new([name], Pinned, 1, (context, layout) =>
        {
            BenchServer running = context.Server(protocol, layout);
            List<string> arguments = ["--protocol", protocol, "--port", Text(running.Port), "--op", operation, "--depth", Text(depth),
                "--keys", Text(context.Mib * 256), "--ops", Text(context.Quick ? 20_000 : 50_000), "--peers", Text(running.ProcessId)];
            if (layout.ProgramCpu() is int cpu) arguments.AddRange(["--cpu", Text(cpu)]);
            return new Dictionary<string, Sample> { [name] = BenchContext.ToSample(context.RunProgram(context.Program("peer"), arguments)[^1]) };
        })
        {
            // More than 1: that many times more a second than RUM's fault.
            Of = _ => depth == 1 && operation == "get" ? "fault.read.shm" : null,
            RatioOfRates = true,
            Quick = quick,
            Missing = () => OnPath(server) ? null : $"{server} is not installed (apt-get install {server})",
        };

    private static BenchStep Swap(string name, string pattern) =>
        new([name], OneOnly, 1, (context, layout) =>
        {
            using SwapArea swap = context.Swap();
            int operations = (pattern == "scan" ? 4 : 1) * (context.Quick ? 40_000 : 100_000);
            return new Dictionary<string, Sample>
            {
                [name] = BenchContext.ToSample(context.RunProgram(swap.Enter, [context.Program("fault"), "--pattern", pattern, "--memory", "local",
                    "--mib", Text(context.Mib), "--ops", Text(operations), "--cpu", Text(layout.ProgramCpu() ?? 0)])[^1]),
            };
        })
        {
            Of = _ => pattern switch { "read" => "fault.read.shm", "write" => "fault.write.shm", _ => "scan.shm" },
            RatioOfRates = true,
            Missing = SwapArea.WhyNot,
        };
}
