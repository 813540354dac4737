using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Rum.Cli.Demo;

/// <summary>The program under demonstration, and what it prints (apps/demo says which lines).</summary>
internal sealed class DemoProgram(DemoOptions options, string machines)
{
    // The first load of a page that is local takes a cache miss; one that takes longer than this waited for a fault.
    private const long LocalNsMax = 1500;

    private readonly ProgressLine _progress = new();

    /// <summary>Loads that waited for a page.</summary>
    public LatencyHistogram Faults { get; } = new();

    /// <summary>Pages and seconds of each phase.</summary>
    public Dictionary<string, (long Pages, double Seconds)> Phases { get; } = [];

    public long VerifiedBytes { get; private set; }

    public long WrongBytes { get; private set; }

    /// <summary>The library's own count of faults, -1 when it doesn't say.</summary>
    public long LibraryFaults { get; private set; } = -1;

    public async Task<int> RunAsync(CancellationToken stop)
    {
        var start = new ProcessStartInfo(options.Program) { UseShellExecute = false, RedirectStandardOutput = true };
        start.ArgumentList.Add(options.Mib.ToString(CultureInfo.InvariantCulture));
        start.Environment["RUM_MACHINES"] = machines;
        start.Environment["RUM_CACHE"] = $"{options.CacheMib}M";
        start.Environment["RUM_TRANSPORT"] = options.Transport;
        start.Environment["RUM_COPIES"] = options.Copies.ToString(CultureInfo.InvariantCulture);
        using Process process = Process.Start(start)!;
        using Keeper keeper = Keeper.Of(process);
        using CancellationTokenRegistration kill = stop.Register(() =>
        {
            if (!process.HasExited) process.Kill();
        });
        while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line) Take(line);
        await process.WaitForExitAsync(CancellationToken.None);
        stop.ThrowIfCancellationRequested();
        return process.ExitCode;
    }

    private void Take(string line)
    {
        string[] words = line.Split(' ');
        switch (words)
        {
            case ["progress", string phase, string done, string total]:
                _progress.Show(phase, Number(done), Number(total));
                break;
            case ["phase", string phase, string pages, string seconds]:
                Phases[phase] = (Number(pages), double.Parse(seconds, CultureInfo.InvariantCulture));
                break;
            case ["access", string lower, string count]:
                if (Number(lower) > LocalNsMax) Faults.Add(Number(lower), Number(count));
                break;
            case ["result", string verified, string wrong]:
                VerifiedBytes = Number(verified);
                WrongBytes = Number(wrong);
                break;
            case ["stats", ..]:
                LibraryFaults = FindFaults(line["stats ".Length..]);
                break;
            default:
                Console.WriteLine(line);
                break;
        }
    }

    private static long FindFaults(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return Find(document.RootElement) ?? -1;
        }
        catch (JsonException)
        {
            return -1;
        }
    }

    private static long? Find(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) return null;
        if (element.TryGetProperty("faults", out JsonElement faults) && faults.ValueKind == JsonValueKind.Number) return faults.GetInt64();
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (Find(property.Value) is { } found) return found;
        }
        return null;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
