using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Rum.Client.Tests;

/// <summary>A .NET program beside the tests as a process; killed when disposed.</summary>
internal sealed partial class Child : IDisposable
{
    private const int Continue = 18, Stop = 19;

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = [];

    private Child(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => { if (e.Data is not null) _output.Enqueue(e.Data); };
        process.ErrorDataReceived += (_, e) => { if (e.Data is not null) _output.Enqueue(e.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    internal string Output => string.Join('\n', _output);

    internal static Child Start(string program, Dictionary<string, string> environment, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, program + ".dll"));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        start.Environment.Remove("RUM_MACHINES");
        // Ends on purpose must not fill the disk.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return new Child(Process.Start(start)!);
    }

    internal async Task<int> ExitAsync(int secondsMax)
    {
        using CancellationTokenSource bound = new(TimeSpan.FromSeconds(secondsMax));
        try
        {
            await _process.WaitForExitAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The process did not end within {secondsMax} s; it said:\n{Output}");
        }

        return _process.ExitCode;
    }

    internal Task SaysAsync(string text) => Eventually.Is(
        () => _process.HasExited && !Output.Contains(text) ? throw new InvalidOperationException($"It ended without saying '{text}', but:\n{Output}") : Output.Contains(text),
        () => $"'{text}' is said; so far:\n{Output}");

    // kill returns when the signal is sent; the threads of the process go on until each has seen it.
    internal IDisposable Stall()
    {
        Assert.Equal(0, Kill(_process.Id, Stop));
        Assert.True(SpinWait.SpinUntil(HasStopped, TimeSpan.FromSeconds(10)), "not all threads of the stalled process stop");
        return new Stalled(_process.Id);
    }

    private bool HasStopped() => Directory.EnumerateDirectories($"/proc/{_process.Id}/task").All(task =>
    {
        // "tid (name) state": the name may itself hold brackets.
        string stat = File.ReadAllText(Path.Combine(task, "stat"));
        return stat[(stat.LastIndexOf(')') + 2)..].StartsWith('T');
    });

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    private sealed class Stalled(int process) : IDisposable
    {
        public void Dispose() => _ = Kill(process, Continue);
    }
}
