using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Rum.Cli.Commands;
using Rum.Cli.Output;
using Rum.Core.Configuration;
using Rum.Silo.Reporting;

namespace Rum.Cli.Demo;

/// <summary>The demo from start to end: silos up, program run, silos down, figures written. Whatever happens, no process is left behind.</summary>
internal sealed class DemoRun(DemoOptions options)
{
    public const int SiloCount = 3;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    public async Task<int> RunAsync(CancellationToken stop)
    {
        string directory = Directory.CreateTempSubdirectory("rum-demo-").FullName;
        var silos = new List<SiloProcess>();
        try
        {
            string machines = Path.Combine(directory, "machines.csv");
            Start(silos, machines, directory);
            await WaitUntilReadyAsync(silos, stop);
            if (UserfaultfdPermission.Warning() is { } warning) Console.WriteLine(warning);
            Console.WriteLine(
                $"Running {Path.GetFileName(options.Program)}: {options.Mib} MiB of memory on a local cache of {options.CacheMib} MiB, transport {options.Transport}, {options.Plane} plane{(options.Copies == 1 ? "" : $", {options.Copies} copies of each page")}.");
            var program = new DemoProgram(options, machines);
            int exit = await program.RunAsync(stop);
            if (exit is not 0 and not 1 || program.VerifiedBytes == 0)
                throw new CommandFailedException(ExitCode.Failed, $"the program ended with exit code {exit} before it had a result");
            IReadOnlyList<StatsReport> stats = await FetchStatsAsync(silos, stop);
            var summary = DemoSummary.From(options, program, stats);
            await StopAsync(silos);
            Publish(summary, program);
            return summary.WrongBytes == 0 && exit == 0 ? ExitCode.Ok : ExitCode.Failed;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Console.WriteLine("Stopped.");
            return 130;
        }
        finally
        {
            await StopAsync(silos);
            Directory.Delete(directory, recursive: true);
        }
    }

    private void Start(List<SiloProcess> silos, string machines, string directory)
    {
        int[] udp = FreePorts.Silos(SiloCount);
        int[] http = FreePorts.Tcp(SiloCount);
        File.WriteAllLines(machines, udp.Select(port => $"127.0.0.1:{port}"));
        // Extents of 64 MiB spread over the silos; one may get some more than its share.
        string memory = $"{(options.Mib * 2 * options.Copies / SiloCount) + 256}M";
        for (int i = 0; i < SiloCount; i++)
        {
            List<string> arguments =
            [
                "silo", "run", "--machines", machines, "--self", $"127.0.0.1:{udp[i]}", "--http", $"127.0.0.1:{http[i]}", "--memory", memory,
                "--transport", options.Transport, "--name", $"silo-{i + 1}", "--log-level", "warn", "--plane", options.Plane,
            ];
            if (i == 0) arguments.AddRange(["--data", Path.Combine(directory, "council"), "--init"]);
            silos.Add(SiloProcess.Start($"silo-{i + 1}", $"http://127.0.0.1:{http[i]}", arguments));
            Console.WriteLine($"Started silo-{i + 1} at 127.0.0.1:{udp[i]} (process {silos[i].Id}), {memory} of memory.");
        }
    }

    private static async Task WaitUntilReadyAsync(List<SiloProcess> silos, CancellationToken stop)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        Stopwatch waited = Stopwatch.StartNew(), said = Stopwatch.StartNew();
        foreach (SiloProcess silo in silos)
        {
            while (!await IsReadyAsync(http, silo, stop))
            {
                if (silo.HasExited) throw new CommandFailedException(ExitCode.Failed, $"{silo.Name} ended at once; what it said stands above");
                if (waited.Elapsed > StartPatience) throw new CommandFailedException(ExitCode.Failed, $"{silo.Name} was not ready within {StartPatience.TotalSeconds} s");
                if (said.Elapsed > TimeSpan.FromSeconds(5))
                {
                    Console.WriteLine($"Waiting for {silo.Name} ...");
                    said.Restart();
                }
                await Task.Delay(50, stop);
            }
        }
        Console.WriteLine($"All silos are ready after {waited.Elapsed.TotalSeconds:0.0} s.");
    }

    private static async Task<bool> IsReadyAsync(HttpClient http, SiloProcess silo, CancellationToken stop)
    {
        try
        {
            using HttpResponseMessage answer = await http.GetAsync($"{silo.Http}/health/ready", stop);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private static async Task<IReadOnlyList<StatsReport>> FetchStatsAsync(List<SiloProcess> silos, CancellationToken stop)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var found = new List<StatsReport>();
        foreach (SiloProcess silo in silos)
        {
            found.Add(JsonSerializer.Deserialize(await http.GetStringAsync($"{silo.Http}/stats", stop), ReportJson.Default.StatsReport)!);
        }
        return found;
    }

    private static async Task StopAsync(List<SiloProcess> silos)
    {
        if (silos.Count == 0) return;
        // The one with the council last: the others take their leave there.
        for (int i = silos.Count - 1; i >= 0; i--) await silos[i].StopAsync();
        silos.Clear();
        Console.WriteLine("Stopped the silos.");
    }

    private void Publish(DemoSummary summary, DemoProgram program)
    {
        Directory.CreateDirectory(options.OutputDirectory);
        string json = Path.Combine(options.OutputDirectory, "summary.json");
        string svg = Path.Combine(options.OutputDirectory, "faults.svg");
        File.WriteAllText(json, JsonSerializer.Serialize(summary, DemoJson.Default.DemoSummary) + "\n");
        File.WriteAllText(svg, FaultsSvg.Draw(program.Faults, $"{summary.Faults:#,0} page faults{(options.Transport == "auto" ? "" : " over " + options.Transport)}, {options.Mib} MiB on {options.CacheMib} MiB"));

        Console.WriteLine();
        Report.Table(
            ["what", ">figure"],
            [
                ["verified bytes", $"{summary.VerifiedBytes:#,0}"],
                ["wrong bytes", $"{summary.WrongBytes:#,0}"],
                ["local cache", ByteSize.Format(summary.CacheBytes)],
                ["faults", $"{summary.Faults:#,0}"],
                ["pages/s, filled in order", $"{summary.FillPagesPerSecond:#,0}"],
                ["pages/s, read at random", $"{summary.PagesPerSecond:#,0}"],
                ["fault time p50", $"{summary.FaultUs.P50:0.0} us"],
                ["fault time p99", $"{summary.FaultUs.P99:0.0} us"],
                ["fault time p99.9", $"{summary.FaultUs.P999:0.0} us"],
                ["bytes on the wire", $"{summary.WireBytes:#,0}"],
                ["busiest silo, of the mean", $"{summary.BusiestOverMean:0.00}"],
            ]);
        Console.WriteLine();
        Report.Table(
            ["silo", ">share", ">pages read", ">pages written", ">bytes sent", ">bytes received"],
            summary.Silos.Select(s => (IReadOnlyList<string>)
            [
                s.Name, $"{100.0 * (s.PagesRead + s.PagesWritten) / Math.Max(1, summary.Silos.Sum(o => o.PagesRead + o.PagesWritten)):0} %", $"{s.PagesRead:#,0}", $"{s.PagesWritten:#,0}", $"{s.BytesSent:#,0}", $"{s.BytesReceived:#,0}",
            ]));
        Console.WriteLine();
        Console.WriteLine(summary.WrongBytes == 0 ? $"Every byte is right. Wrote {json} and {svg}." : $"WRONG BYTES: {summary.WrongBytes:#,0}. Wrote {json} and {svg}.");
    }
}
