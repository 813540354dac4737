using System.Text.Json;

namespace Rum.Cli.Bench;

/// <content>Pages: round trips without the pager, faults, scans.</content>
internal static partial class BenchCatalog
{
    private const string Handler = "handler", Inline = "inline";

    private static readonly string[] Transports = ["shm", "udp"];

    // The probe never gives its CPU away: a silo on the same one would get a slice now and then.
    private static IEnumerable<BenchStep> RoundTrips() =>
        from transport in Transports
        from depth in new[] { 1, 32 }
        select RoundTrip(depth == 1 ? $"rtt.{transport}" : $"rtt.{transport}.{depth}", transport, depth);

    private static IEnumerable<BenchStep> Faults()
    {
        foreach (string transport in Transports)
        {
            yield return Fault([$"fault.read.{transport}"], "read", transport, Everywhere, Pinned, "floor.pager");
            // At one thread a random store is also the figure of eviction: each makes a page leave that was stored to.
            yield return Fault([$"fault.write.{transport}", $"evict.write.{transport}"], "write", transport, Everywhere, SplitOnly, "floor.pager.write");
            yield return Fault([$"fault.mixed.{transport}"], "mixed", transport, Everywhere, [], "floor.pager.mixed");
        }
        foreach (string transport in Transports)
        {
            yield return Fault([$"fault.read.{transport}.inline"], "read", transport, Everywhere, transport == "shm" ? Pinned : [], $"fault.read.{transport}", rates: true, fault: Inline);
            yield return Fault([$"fault.write.{transport}.inline", $"evict.write.{transport}.inline"], "write", transport, Everywhere, [], $"fault.write.{transport}", rates: true, fault: Inline);
        }
        foreach (string transport in Transports)
        {
            foreach (string pattern in new[] { "read", "write", "mixed" })
            {
                foreach (int threads in new[] { 2, 4 })
                    yield return Fault([$"fault.{pattern}.{transport}"], pattern, transport, Pinned, [], $"fault.{pattern}.{transport}", threads, rates: true);
            }
        }
    }

    private static IEnumerable<BenchStep> Scans() =>
        Transports.Select(transport => Fault([$"scan.{transport}"], "scan", transport, Everywhere, SplitOnly, "memcpy", rates: true));

    private static BenchStep Fault(
        string[] names, string pattern, string transport, BenchLayout[] layouts, BenchLayout[] quick, string? of, int threads = 1, bool rates = false, string fault = Handler) =>
        new(names, layouts, threads, (context, layout) =>
        {
            Sample sample = RunFault(context, layout, pattern, transport, threads, fault);
            return names.ToDictionary(name => name, _ => sample);
        })
        {
            Of = _ => of,
            RatioOfRates = rates,
            Quick = quick,
        };

    // Against the transport's own silo, unless another one is named with the processes that belong to the measurement.
    private static Sample RunFault(
        BenchContext context, BenchLayout layout, string pattern, string transport, int threads, string fault, int? rounds = null, (BenchServer Silo, string Peers)? against = null)
    {
        BenchServer silo = against?.Silo ?? context.Server(ServerOf(transport), layout);
        int operations = rounds ?? (pattern == "scan" ? 10 : 1) * (context.Quick ? 40_000 : 100_000);
        List<string> arguments = ["--pattern", pattern, "--mib", Text(context.Mib), "--ops", Text(operations), "--threads", Text(threads)];
        if (layout.ProgramCpu() is int cpu) arguments.AddRange(["--cpu", Text(cpu)]);
        arguments.AddRange(["--peers", against?.Peers ?? Text(silo.ProcessId)]);
        JsonElement printed = context.Run([.. context.At(ServerOf(transport)), context.Program("fault"), .. arguments],
            ("RUM_MACHINES", silo.MachinesFile), ("RUM_TRANSPORT", TransportOf(transport)), ("RUM_DPDK", TransportOf(transport) == "dpdk" ? silo.DpdkOfClient : ""), ("RUM_FAULT", fault),
            ("RUM_CACHE", Text(context.CacheMib) + "M"))[^1];
        return BenchContext.ToSample(printed);
    }

    private static BenchStep RoundTrip(string name, string transport, int depth) =>
        new([name], SplitOnly, 1, (context, layout) => new Dictionary<string, Sample> { [name] = RunRoundTrip(context, layout, transport, depth) })
        {
            Quick = depth == 1 ? SplitOnly : [],
        };

    private static Sample RunRoundTrip(BenchContext context, BenchLayout layout, string transport, int depth, int? rounds = null)
    {
        BenchServer silo = context.Server(ServerOf(transport), layout);
        return BenchContext.ToSample(context.RunRum(context.At(ServerOf(transport)), layout,
            ["bench", "round-trip", "--machines", silo.MachinesFile, "--transport", TransportOf(transport),
                "--depth", Text(depth), "--ops", Text(rounds ?? Rounds(context, depth)), "--peers", Text(silo.ProcessId)],
            ("RUM_DPDK", TransportOf(transport) == "dpdk" ? silo.DpdkOfClient : ""))[^1]);
    }
}
