namespace Rum.Cluster.Tests.Processes;

public sealed class CommandLineTests
{
    [Fact]
    public async Task AlonePrintsTheCommonestCommands()
    {
        (int exit, string output, _) = await RumProcess.RunAsync();
        Assert.Equal(0, exit);
        string[] commands = [.. output.Split('\n').Where(l => l.StartsWith("  rum ")).Select(l => l.Trim())];
        Assert.Equal(5, commands.Length);
        Assert.StartsWith("rum silo run --dev", commands[0]);
    }

    [Theory]
    [InlineData("rum segment list --help", "Examples:\n  rum segment list", 0)]
    [InlineData("rum --version", "0.1.0", 0)]
    public async Task SaysWhatItIs(string line, string expected, int code)
    {
        (int exit, string output, string errors) = await RumProcess.RunAsync(line.Split(' ')[1..]);
        Assert.True(exit == code, errors);
        Assert.Contains(expected, output);
    }

    [Theory]
    [InlineData("rum frobnicate", "'frobnicate'")]
    [InlineData("rum segment show", "Required argument")]
    [InlineData("rum silo run", "machines: missing; say --machines machines.csv, or --dev")]
    [InlineData("rum silo run --dev --memory lots", "memory: 'lots' (from --memory) is not right; expected a size such as 4G")]
    [InlineData("rum silo run --dev --cpu -3 --lease 1y", "lease: '1y' (from --lease) is not right; expected a time such as 10s")]
    [InlineData("rum silo run --machines /nonexistent.csv", "machines: /nonexistent.csv (--machines) can't be read")]
    [InlineData("rum silo run --config /nonexistent.json", "settings file /nonexistent.json can't be read")]
    [InlineData("rum status --silo banana", "--silo: 'banana' is not an IP address")]
    [InlineData("rum demo --mib 0", "DEMO_MIB: '0' is not right")]
    public async Task UsageErrorsExitWith2AndNameWhatIsWrong(string line, string expected)
    {
        (int exit, string output, string errors) = await RumProcess.RunAsync(line.Split(' ')[1..]);
        Assert.Equal(2, exit);
        Assert.Contains(expected, errors);
        Assert.Empty(output);
    }

    [Fact]
    public async Task AnUnknownVariableIsAnError()
    {
        using RumProcess rum = RumProcess.Start(new Dictionary<string, string> { ["RUM_SILO_MEMMORY"] = "4G" }, "silo", "run", "--dev");
        Assert.Equal(2, await rum.ExitAsync());
        Assert.Contains("RUM_SILO_MEMMORY is no setting of a silo", rum.Errors);
    }

    [Fact]
    public async Task WithoutASiloItNamesAddressAndCommandAndExitsWith3()
    {
        int port = Ports.Free();
        (int exit, _, string errors) = await RumProcess.RunAsync("status", "--silo", $"127.0.0.1:{port}");
        Assert.Equal(3, exit);
        Assert.Contains($"no silo answers at 127.0.0.1:{port}", errors);
        Assert.Contains("Start one with: rum silo run --dev", errors);
    }

    [Fact]
    public async Task AClusterIsBornOnceAndASiloWithoutOneRefuses()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("machines.csv"), $"127.0.0.1:{Ports.Free()}");
        string data = directory.File("data");
        string[] run = ["silo", "run", "--machines", directory.File("machines.csv"), "--data", data];

        (int exit, _, string errors) = await RumProcess.RunAsync(run);
        Assert.Equal(1, exit);
        Assert.Contains($"rum cluster init --data {data}", errors);

        (exit, _, errors) = await RumProcess.RunAsync("cluster", "init", "--data", data, "--shards", "20000");
        Assert.True(exit == 2 && errors.Contains("64 to 16384"), $"{exit}: {errors}");
        (exit, string output, _) = await RumProcess.RunAsync("cluster", "init", "--data", data, "--shards", "200");
        Assert.Equal(0, exit);
        Assert.Contains("is born", output);
        (exit, _, errors) = await RumProcess.RunAsync("cluster", "init", "--data", data);
        Assert.Equal(1, exit);
        Assert.Contains("holds a cluster already", errors);

        using RumProcess silo = RumProcess.Start(run);
        await silo.WaitForErrorAsync("joined as silo 1 under the name");
        (_, output, _) = await RumProcess.RunAsync("status", "--machines", directory.File("machines.csv"), "--json");
        Assert.Contains("\"ring\": 200", output);
        Assert.Equal(0, await silo.StopAsync());
        Assert.Contains("left the cluster as silo 1", silo.Errors);
    }

    [Fact]
    public async Task ADevelopmentSiloSaysWhatToPasteNext()
    {
        int port = Ports.Free();
        using RumProcess silo = RumProcess.Start("silo", "run", "--dev", "--self", $"127.0.0.1:{port}", "--memory", "64M", "--log-format", "json");
        await Eventually.Async(() => silo.Output.Contains($"rum status --silo 127.0.0.1:{port}"), "the line to paste", () => silo.Output + silo.Errors);
        (int exit, string output, string errors) = await RumProcess.RunAsync("status", "--silo", $"127.0.0.1:{port}");
        Assert.True(exit == 0, errors);
        Assert.Contains("0 B of 64 MiB allocated", output);

        using RumProcess second = RumProcess.Start("silo", "run", "--dev", "--self", $"127.0.0.1:{port}");
        Assert.Equal(1, await second.ExitAsync());
        Assert.Contains($"UDP address 127.0.0.1:{port} can't be used", second.Errors);

        Assert.Equal(0, await silo.StopAsync());
        Assert.All(silo.Errors.Split('\n'), line => Assert.StartsWith("{\"time\":", line));
    }
}
