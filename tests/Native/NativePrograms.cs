using System.Diagnostics;
using System.Reflection;

namespace Rum.Native.Tests;

/// <summary>
/// One silo for all native programs, and the programs, compiled as a user would: against include/ and librum.so, warnings as errors.
/// </summary>
public sealed class NativePrograms : IAsyncLifetime
{
    /// <summary>Ends what hangs; a loaded machine needs a part of it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly string Root =
        typeof(NativePrograms).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(data => data.Key == "RumRoot").Value!;

    private readonly string _folder = Directory.CreateTempSubdirectory("rum-native-").FullName;
    private readonly int _port = Ports.Free();
    private readonly Lock _compiling = new();
    private RumProcess? _silo;

    /// <summary>Where the file with the silo's address stands.</summary>
    public string Machines => Path.Combine(_folder, "machines.csv");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Machines, $"127.0.0.1:{_port}\n");
        _silo = RumProcess.Start(
            "silo", "run", "--machines", Machines, "--self", $"127.0.0.1:{_port}", "--memory", "256M", "--init", "--data", Path.Combine(_folder, "data"));
        await _silo.ReadyAsync(_port);
    }

    /// <summary>Compiles a program once and returns its path.</summary>
    public string Compile(string name)
    {
        lock (_compiling)
        {
            string program = Path.Combine(_folder, name);
            if (File.Exists(program)) return program;
            string source = Path.Combine(Root, "tests/Native/programs", name);
            bool cpp = File.Exists(source + ".cpp");
            string libraries = Path.Combine(Root, "artifacts/native/linux-x64");
            (int code, string output) = Run(
                null, Patience, cpp ? "g++" : "gcc", cpp ? "-std=c++17" : "-std=c11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror",
                "-I" + Path.Combine(Root, "include"), source + (cpp ? ".cpp" : ".c"), "-o", program, "-L" + libraries, "-lrum", "-Wl,-rpath," + libraries, "-lpthread");
            Assert.True(code == 0, $"{name} doesn't compile:\n{output}");
            return program;
        }
    }

    /// <summary>Runs a program against the silo; returns its exit code (128 + signal) and what it printed.</summary>
    public (int Code, string Output) RunTest(string program, string test, params (string Name, string Value)[] settings)
    {
        (string, string)[] all = [("RUM_MACHINES", Machines), ("RUM_CACHE", "8M"), .. settings];
        return Run(all, Patience, Compile(program), test);
    }

    /// <summary>Runs a program with these settings only.</summary>
    public (int Code, string Output) Run((string Name, string Value)[] settings, string program, params string[] arguments) =>
        Run(settings, Patience, Compile(program), arguments);

    /// <summary>The same through a command that starts it, as another user for example.</summary>
    public (int Code, string Output) Run((string Name, string Value)[] settings, string[] starter, string program, params string[] arguments)
    {
        // That user must be able to read program and library.
        string own = Compile(program);
        File.SetUnixFileMode(_folder, (UnixFileMode)0x1ED);
        return Run(settings, Patience, starter[0], [.. starter[1..], own, .. arguments]);
    }

    /// <summary>Runs a program that prints "next" where its owner is to do something, and goes on after it.</summary>
    public async Task<(int Code, string Output)> RunWithPausesAsync((string Name, string Value)[] settings, Func<Task> atPause, string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(Compile(program), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in settings) info.Environment[name] = value;
        using Process process = Process.Start(info)!;
        using var limit = new CancellationTokenSource(Patience);
        limit.Token.Register(process.Kill);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        var output = new StringWriter();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            output.WriteLine(line);
            if (line != "next") continue;
            await atPause();
            await process.StandardInput.WriteLineAsync();
        }
        await process.WaitForExitAsync();
        return (process.ExitCode, output.ToString() + await errors);
    }

    /// <summary>The names of a program's tests.</summary>
    public string[] List(string program) => Run(null, Patience, Compile(program)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _silo?.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static (int Code, string Output) Run((string Name, string Value)[]? environment, TimeSpan limit, string file, params string[] arguments)
    {
        using Process process = Start(environment, file, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill();
            return (-1, $"{file} {string.Join(' ', arguments)} didn't end in {limit.TotalSeconds} s\n{output.Result}{errors.Result}");
        }
        return (process.ExitCode, output.Result + errors.Result);
    }

    private static Process Start((string Name, string Value)[]? environment, string file, params string[] arguments)
    {
        var info = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment ?? []) info.Environment[name] = value;
        return Process.Start(info)!;
    }
}
