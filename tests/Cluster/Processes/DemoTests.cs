using System.Text.Json;
using System.Xml.Linq;

namespace Rum.Cluster.Tests.Processes;

public sealed class DemoTests
{
    // Prints what apps/demo prints, so that the orchestration is tested without waiting for pages.
    private const string Program = """
        #!/bin/sh
        test -s "$RUM_MACHINES" && test "$RUM_CACHE" = 8M && test "$1" = 16 || exit 9
        echo "progress verify 100 100"; echo "phase fill 100 0.5"; echo "phase verify 100 0.25"
        echo "access 400 10"; echo "access 8000 98"; echo "access 20000 1"; echo "access 3000000 1"
        echo "result 16777216 WRONG"
        exit CODE
        """;

    private static async Task<(int Exit, string Output, TemporaryDirectory Directory)> RunAsync(int wrong)
    {
        var directory = new TemporaryDirectory();
        string program = directory.File("program");
        File.WriteAllText(program, Program.Replace("WRONG", wrong.ToString()).Replace("CODE", wrong == 0 ? "0" : "1"));
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        (int exit, string output, string errors) =
            await RumProcess.RunAsync("demo", "--program", program, "--out", directory.Path, "--mib", "16", "--cache-mib", "8", "--transport", "udp", "--plane", "static");
        return (exit, output + errors, directory);
    }

    [Fact]
    public async Task WritesFiguresAndAPicture()
    {
        (int exit, string output, TemporaryDirectory directory) = await RunAsync(0);
        using TemporaryDirectory end = directory;
        Assert.True(exit == 0, output);
        Assert.Contains("Every byte is right", output);
        using JsonDocument summary = JsonDocument.Parse(File.ReadAllText(directory.File("summary.json")));
        JsonElement root = summary.RootElement;
        Assert.Equal(1, root.GetProperty("schema_version").GetInt32());
        Assert.Equal("static", root.GetProperty("plane").GetString());
        Assert.Equal(16 << 20, root.GetProperty("verified_bytes").GetInt64());
        Assert.Equal(0, root.GetProperty("wrong_bytes").GetInt64());
        Assert.Equal(8 << 20, root.GetProperty("cache_bytes").GetInt64());
        Assert.Equal(100, root.GetProperty("faults").GetInt64());
        Assert.Equal(400, root.GetProperty("pages_per_second").GetDouble());
        Assert.Equal(8, root.GetProperty("fault_us").GetProperty("p50").GetDouble());
        Assert.Equal(20, root.GetProperty("fault_us").GetProperty("p99").GetDouble());
        Assert.Equal(3000, root.GetProperty("fault_us").GetProperty("p999").GetDouble());
        Assert.Equal(3, root.GetProperty("silos").GetArrayLength());
        Assert.Equal(1, root.GetProperty("busiest_over_mean").GetDouble());

        XDocument picture = XDocument.Load(directory.File("faults.svg"));
        Assert.DoesNotContain(picture.Descendants(), e => e.Name.LocalName == "script");
        Assert.Contains("prefers-color-scheme: dark", picture.ToString());
        Assert.Contains("share of faults", picture.ToString());
    }

    [Fact]
    public async Task AWrongByteIsAFailure()
    {
        (int exit, string output, TemporaryDirectory directory) = await RunAsync(3);
        using TemporaryDirectory end = directory;
        Assert.Equal(1, exit);
        Assert.Contains("WRONG BYTES: 3", output);
        Assert.Contains("Stopped the silos.", output);
    }
}
