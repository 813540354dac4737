using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Rum.Tests;

/// <summary>A process beside the tests, which read what it says and write lines to it; killed when disposed.</summary>
internal abstract partial class TestProcess : IDisposable
{
    private const int Terminate = 15, Continue = 18, Stop = 19;

    private readonly Process _process;
    private readonly string _name;
    private readonly ConcurrentQueue<string> _output = [], _errors = [], _all = [];

    /// <summary>Starts a program with these variables added to the environment; its standard streams are taken over.</summary>
    protected TestProcess(string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("RUM_MACHINES");
        // Ends on purpose must not fill the disk.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        _name = $"{Path.GetFileName(program)} {string.Join(' ', arguments.Select(Path.GetFileName))}";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => Keep(_output, e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(_errors, e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it said on both streams, as it came.</summary>
    public string Said => string.Join('\n', _all);

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    protected IEnumerable<string> SaidLines => _all;

    protected string StandardOutput => string.Join('\n', _output);

    protected string StandardError => string.Join('\n', _errors);

    public bool HasExited => _process.HasExited;

    /// <summary>Waits for its end: the exit code.</summary>
    public async Task<int> ExitAsync(int secondsMax = 60)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(secondsMax));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{_name} did not end within {secondsMax} s; it said:\n{Said}");
        }
        return _process.ExitCode;
    }

    /// <summary>Waits until it has said something, on either stream.</summary>
    public async Task SaysAsync(string text)
    {
        // Its last lines may come after its end is seen.
        await Eventually.Async(() => Said.Contains(text) || _process.HasExited, $"'{text}' from {_name}", () => Said);
        if (!Said.Contains(text)) await ExitAsync();
        Assert.True(Said.Contains(text), $"{_name} ended without saying '{text}', but:\n{Said}");
    }

    /// <summary>A line into its input.</summary>
    public void Say(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Closes its input and returns its exit code.</summary>
    public Task<int> EndAsync()
    {
        _process.StandardInput.Close();
        return ExitAsync();
    }

    /// <summary>SIGTERM, then its exit code.</summary>
    public Task<int> StopAsync()
    {
        Assert.Equal(0, Kill(_process.Id, Terminate));
        return ExitAsync();
    }

    /// <summary>SIGKILL: no farewell. Its exit code, which is another if it ended by itself.</summary>
    public Task<int> KillAsync()
    {
        _process.Kill();
        return ExitAsync();
    }

    /// <summary>Stops it in its tracks; whoever disposes the result lets it go on.</summary>
    public IDisposable Stall()
    {
        Assert.Equal(0, Kill(_process.Id, Stop));
        // kill returns when the signal is sent; the threads of the process go on until each has seen it.
        Assert.True(SpinWait.SpinUntil(HasStopped, Eventually.Patience), $"not all threads of the stalled {_name} stop");
        return new Stalled(_process.Id);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Keep(ConcurrentQueue<string> stream, string? line)
    {
        if (line is null) return;
        stream.Enqueue(line);
        _all.Enqueue(line);
    }

    private bool HasStopped() => Directory.EnumerateDirectories($"/proc/{_process.Id}/task").All(task =>
    {
        try
        {
            // "tid (name) state": the name may itself hold brackets.
            string stat = File.ReadAllText(Path.Combine(task, "stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].StartsWith('T');
        }
        catch (IOException)
        {
            return true; // It has ended.
        }
    });

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    private sealed class Stalled(int process) : IDisposable
    {
        public void Dispose() => _ = Kill(process, Continue);
    }
}
