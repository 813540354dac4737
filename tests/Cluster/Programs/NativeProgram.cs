using System.Collections.Concurrent;
using System.Diagnostics;

namespace Rum.Cluster.Tests.Programs;

/// <summary>A C program of this folder, compiled as a user would and run beside the test, which writes lines to it and reads its lines; killed when disposed.</summary>
internal sealed class NativeProgram : IDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = [];

    private NativeProgram(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => { if (e.Data is not null) _lines.Enqueue(e.Data); };
        process.ErrorDataReceived += (_, e) => { if (e.Data is not null) _lines.Enqueue(e.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output => string.Join('\n', _lines);

    public string[] Lines => [.. _lines];

    /// <summary>Compiles a source into a program. Skips the test where there is no compiler.</summary>
    public static string Compile(string source, TemporaryDirectory directory)
    {
        if (!File.Exists("/usr/bin/gcc")) Assert.Skip("gcc is not installed");
        string library = Path.Combine(AppContext.BaseDirectory, "librum.so");
        Assert.True(File.Exists(library), $"{library} was not built");
        string program = directory.File(Path.GetFileNameWithoutExtension(source));
        string[] arguments =
        [
            "-std=c11", "-D_GNU_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-I", Path.Combine(Repository.Root, "include"), source, "-o", program, library,
            $"-Wl,-rpath,{AppContext.BaseDirectory}",
        ];
        using Process gcc = Process.Start(new ProcessStartInfo("gcc", arguments) { RedirectStandardError = true })!;
        string errors = gcc.StandardError.ReadToEnd();
        gcc.WaitForExit();
        Assert.True(gcc.ExitCode == 0, errors);
        return program;
    }

    /// <summary>Compiles a source of this folder.</summary>
    public static string CompileOwn(string name, TemporaryDirectory directory) =>
        Compile(Path.Combine(Repository.Root, "tests", "Cluster", "Programs", name + ".c"), directory);

    public static NativeProgram Start(string program, Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return new NativeProgram(Process.Start(start)!);
    }

    /// <summary>Skips the test where the machine doesn't permit what the program needs; else waits for a line.</summary>
    public async Task WaitForAsync(string text)
    {
        await Eventually.Async(() => Output.Contains(text) || _process.HasExited, $"'{text}' from the program", () => Output);
        if (!Output.Contains(text) && Output.Contains("userfaultfd is not permitted")) Assert.Skip(Output);
        Assert.Contains(text, Output);
    }

    public void Say(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Closes its input and returns its exit code.</summary>
    public async Task<int> EndAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"the program did not end within 60 s:\n{Output}");
        }
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
