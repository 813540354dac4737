using System.Text.RegularExpressions;
using Rum.Cluster.Tests.Processes;
using Rum.Cluster.Tests.Programs;

namespace Rum.Cluster.Tests.Documents;

/// <summary>What the documents promise is tried.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Root = Repository.Root;

    [Fact]
    public async Task TheCExampleCompilesAndRuns()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("program.c"), Block("c"));
        string program = NativeProgram.Compile(directory.File("program.c"), directory);
        int port = Ports.Free();
        File.WriteAllText(directory.File("machines.csv"), $"127.0.0.1:{port}");
        using RumProcess silo = RumProcess.Start("silo", "run", "--dev", "--self", $"127.0.0.1:{port}", "--memory", "512M");
        await Eventually.Async(() => silo.Output.Contains("The silo runs"), "the silo runs", () => silo.Errors);
        using NativeProgram running = NativeProgram.Start(program, new() { ["RUM_MACHINES"] = directory.File("machines.csv") });
        await running.WaitForAsync("42 42");
        Assert.True(await running.EndAsync() == 0, running.Output + silo.Errors);
    }

    [Fact]
    public async Task TheCSharpExampleCompilesAndRuns()
    {
        using var directory = new TemporaryDirectory();
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string dotnet = Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
        string? compiler = Directory.Exists(Path.Combine(dotnet, "sdk"))
            ? Directory.GetDirectories(Path.Combine(dotnet, "sdk"), "10.*").Select(sdk => Path.Combine(sdk, "Roslyn", "bincore", "csc.dll")).FirstOrDefault(File.Exists)
            : null;
        if (compiler is null) Assert.Skip($"no C# compiler below {dotnet}");
        // What the SDK's templates put into every program, and the example.
        File.WriteAllText(directory.File("usings.cs"), "global using System;");
        File.WriteAllText(directory.File("program.cs"), Block("csharp"));
        File.WriteAllLines(directory.File("references"), Directory.GetFiles(runtime, "*.dll").Concat(Directory.GetFiles(AppContext.BaseDirectory, "Rum.C*.dll")).Select(f => $"-r:{f}"));
        File.WriteAllText(directory.File("program.runtimeconfig.json"), $$"""{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"{{Environment.Version}}"} } }""");
        foreach (string file in Directory.GetFiles(AppContext.BaseDirectory, "Rum.*.dll").Append(Path.Combine(AppContext.BaseDirectory, "librum.so")))
            File.Copy(file, directory.File(Path.GetFileName(file)));
        using NativeProgram csc = NativeProgram.Start(
            "dotnet", [], compiler, "-nologo", "-warnaserror", "-langversion:14", "-noconfig", $"@{directory.File("references")}", $"-out:{directory.File("program.dll")}",
            directory.File("usings.cs"), directory.File("program.cs"));
        Assert.True(await csc.EndAsync() == 0, csc.Output);

        int port = Ports.Free();
        File.WriteAllText(directory.File("machines.csv"), $"127.0.0.1:{port}");
        using RumProcess silo = RumProcess.Start("silo", "run", "--dev", "--self", $"127.0.0.1:{port}", "--memory", "512M");
        await Eventually.Async(() => silo.Output.Contains("The silo runs"), "the silo runs", () => silo.Errors);
        using NativeProgram running = NativeProgram.Start("dotnet", new() { ["RUM_MACHINES"] = directory.File("machines.csv") }, directory.File("program.dll"));
        await running.WaitForAsync("42");
        Assert.True(await running.EndAsync() == 0, running.Output + silo.Errors);
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

    [GeneratedRegex(@"\]\(([^)#]+)\)")]
    private static partial Regex Link();
}
