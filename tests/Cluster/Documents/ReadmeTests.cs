using System.Diagnostics;
using System.Text.RegularExpressions;
using Rum.Cluster.Tests.Processes;
using Rum.Core;

namespace Rum.Cluster.Tests.Documents;

/// <summary>What the documents promise is tried.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Root = FindRoot();

    [Fact]
    public async Task TheCExampleCompilesAndRuns()
    {
        if (!File.Exists("/usr/bin/gcc")) Assert.Skip("gcc is not installed");
        string library = Path.Combine(AppContext.BaseDirectory, "librum.so");
        Assert.True(File.Exists(library), $"{library} was not built");
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("program.c"), Block("c"));
        (int exit, string output) = await RunAsync(
            "gcc", [], "-std=c11", "-Wall", "-Wextra", "-Werror", "-I", Path.Combine(Root, "include"), directory.File("program.c"), "-o", directory.File("program"),
            library, $"-Wl,-rpath,{AppContext.BaseDirectory}");
        Assert.True(exit == 0, output);

        int port = Ports.Free();
        File.WriteAllText(directory.File("machines.csv"), $"127.0.0.1:{port}");
        using RumProcess silo = RumProcess.Start("silo", "run", "--dev", "--self", $"127.0.0.1:{port}", "--memory", "512M");
        await Eventually.Async(() => silo.Output.Contains("The silo runs"), "the silo runs", () => silo.Errors);
        (exit, output) = await RunAsync(directory.File("program"), new() { ["RUM_MACHINES"] = directory.File("machines.csv") });
        if (exit != 0 && output.Contains("userfaultfd")) Assert.Skip("userfaultfd is not permitted here: " + output);
        Assert.True(exit == 0, output + silo.Errors);
        Assert.Equal("42 42\n", output);
    }

    [Fact]
    public void ErrorsMdHasEveryCodeUnderItsName()
    {
        string text = File.ReadAllText(Path.Combine(Root, "docs", "ERRORS.md"));
        foreach (RumError error in Enum.GetValues<RumError>()) Assert.Contains($"| {(int)error} | {error} |", text);
    }

    [Fact]
    public void LinksLeadSomewhere()
    {
        foreach (string document in new[] { "README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/BUILDING.md", "docs/ERRORS.md" })
        {
            string directory = Path.GetDirectoryName(Path.Combine(Root, document))!;
            foreach (Match link in Link().Matches(File.ReadAllText(Path.Combine(Root, document))))
            {
                string target = link.Groups[1].Value;
                if (target.StartsWith("http", StringComparison.Ordinal)) continue;
                Assert.True(Path.Exists(Path.Combine(directory, target)), $"{document} links to {target}, which is not there");
            }
        }
    }

    private static string Block(string language)
    {
        Match block = Regex.Match(File.ReadAllText(Path.Combine(Root, "README.md")), $"```{language}\n(.*?)```", RegexOptions.Singleline);
        Assert.True(block.Success, $"README.md has no block of {language}");
        return block.Groups[1].Value;
    }

    private static async Task<(int Exit, string Output)> RunAsync(string program, Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            Assert.Fail($"{program} did not end within 90 s");
        }
        return (process.ExitCode, process.ExitCode == 0 ? await output : await output + await errors);
    }

    private static string FindRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Rum.slnx"))) directory = Path.GetDirectoryName(directory);
        return directory ?? throw new DirectoryNotFoundException("Rum.slnx is in no folder above the tests");
    }

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Link();
}
