using System.Diagnostics;
using System.Net;
using Rum.Cli.Demo;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;

namespace Rum.Cli.Bench;

/// <summary>Named allocations by clients that each wait for their answer: what a council of so many silos, as processes of their own, decides in a second.</summary>
internal static class CouncilBench
{
    private const int Clients = 24;
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    /// <summary>One run. The silos and their directories are gone when it ends.</summary>
    public static async Task<Sample> RunAsync(int silos, TimeSpan duration)
    {
        string directory = Directory.CreateTempSubdirectory("rum-bench-council-").FullName;
        var running = new List<SiloProcess>();
        try
        {
            int[] ports = FreePorts.Udp(silos);
            string machines = Path.Combine(directory, "machines.csv");
            File.WriteAllLines(machines, ports.Select(port => $"127.0.0.1:{port}"));
            for (int i = 0; i < silos; i++)
            {
                List<string> arguments =
                [
                    "silo", "run", "--machines", machines, "--self", $"127.0.0.1:{ports[i]}", "--memory", "1G", "--transport", "udp", "--http", "off", "--log-level", "warn",
                    "--data", Path.Combine(directory, $"data-{i}"),
                ];
                if (i == 0) arguments.Add("--init");
                running.Add(SiloProcess.Start($"silo-{i + 1}", "", arguments));
            }
            IPEndPoint[] addresses = [.. ports.Select(port => new IPEndPoint(IPAddress.Loopback, port))];
            await WaitForCouncilAsync(addresses);
            CpuAccount before = CpuAccount.Now(string.Join(',', running.Select(silo => silo.Id)));
            List<double>[] times = await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => AllocateAsync(addresses, client, duration))));
            (double steal, double foreign) = CpuAccount.Now(string.Join(',', running.Select(silo => silo.Id))).Since(before);
            double[] all = [.. times.SelectMany(one => one).Order()];
            if (all.Length == 0) throw new BenchException("no allocation was answered");
            return new Sample(all[all.Length / 2], all[all.Length * 99 / 100], all.Length / duration.TotalSeconds, steal, foreign);
        }
        finally
        {
            foreach (SiloProcess silo in running) await silo.StopAsync();
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task WaitForCouncilAsync(IPEndPoint[] addresses)
    {
        using var council = new RemoteCouncil(addresses, TimeSpan.FromSeconds(2));
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (await council.AskAsync(new Describe(), default) is StatusAnswer answer && answer.Status.Council.Count(seat => seat.Seat.Seated) == addresses.Length) return;
            }
            catch (CouncilUnreachableException)
            {
                // Not up yet.
            }
            if (waited.Elapsed > StartPatience) throw new BenchException($"no council of {addresses.Length} within {StartPatience.TotalSeconds} s");
            await Task.Delay(100);
        }
    }

    private static async Task<List<double>> AllocateAsync(IPEndPoint[] addresses, int client, TimeSpan duration)
    {
        using var council = new RemoteCouncil(addresses, TimeSpan.FromSeconds(10));
        var opened = (SessionResult)await DecideAsync(council, default, new OpenSession(UInt128.CreateTruncating(Random.Shared.NextInt64()) + 1, "", "rum bench", 600_000));
        var times = new List<double>();
        var run = Stopwatch.StartNew();
        for (uint n = 1; run.Elapsed < duration; n++)
        {
            var one = Stopwatch.StartNew();
            await DecideAsync(
                council, new RequestId(opened.Session, 0, n),
                new Allocate(opened.Session, SegmentKey.FromName($"{client} {n}").Value, Layout.PageSize, 1, SegmentFlags.None, default));
            times.Add(one.Elapsed.TotalMicroseconds);
        }
        return times;
    }

    private static async Task<Result> DecideAsync(RemoteCouncil council, RequestId id, Command command)
    {
        CouncilAnswer answer = await council.AskAsync(new CommandRequest(id, command), default);
        return answer is CommandAnswer { Result: { Error: RumError.None } result } ? result : throw new BenchException($"the council refuses: {answer}");
    }
}
