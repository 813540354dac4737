using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Rum.Cluster.Tests.Processes;

/// <summary>The real <c>rum</c> as a process of its own; killed when disposed.</summary>
internal sealed partial class RumProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = [];
    private readonly ConcurrentQueue<string> _errors = [];

    private RumProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => { if (e.Data is not null) _output.Enqueue(e.Data); };
        process.ErrorDataReceived += (_, e) => { if (e.Data is not null) _errors.Enqueue(e.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output => string.Join('\n', _output);

    public string Errors => string.Join('\n', _errors);

    public static RumProcess Start(params string[] arguments) => Start(new Dictionary<string, string>(), arguments);

    public static RumProcess Start(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "rum.dll"));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        start.Environment.Remove("RUM_MACHINES");
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return new RumProcess(Process.Start(start)!);
    }

    /// <summary>Runs to the end: exit code, stdout, stderr.</summary>
    public static async Task<(int Exit, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using RumProcess process = Start(arguments);
        return (await process.ExitAsync(), process.Output, process.Errors);
    }

    public async Task<int> ExitAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"rum did not end within {Patience.TotalSeconds} s; it said:\n{Output}\n{Errors}");
        }
        return _process.ExitCode;
    }

    /// <summary>SIGTERM, then its exit code.</summary>
    public async Task<int> StopAsync()
    {
        Assert.Equal(0, Kill(_process.Id, 15));
        return await ExitAsync();
    }

    /// <summary>SIGKILL: no farewell.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await ExitAsync();
    }

    public async Task WaitForErrorAsync(string text) => await Eventually.Async(() => Errors.Contains(text), $"'{text}' on stderr", () => Errors);

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
