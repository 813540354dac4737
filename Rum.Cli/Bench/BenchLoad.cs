using System.ComponentModel;
using System.Diagnostics;

namespace Rum.Cli.Bench;

/// <summary>A program that keeps a server busy while something else is measured; killed when disposed.</summary>
internal sealed class BenchLoad : IDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Keeper _keeper;
    private readonly Task<string> _errors;

    private BenchLoad(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
        _keeper = Keeper.Of(process);
    }

    /// <summary>For the accounting of foreign CPU time.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Starts a program and waits for the line by which it says that it is at work.</summary>
    public static BenchLoad Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        BenchLoad load;
        try
        {
            load = new BenchLoad(Process.Start(start)!);
        }
        catch (Win32Exception e)
        {
            throw new BenchException($"{program} can't be started: {e.Message}");
        }
        Task<string?> line = load._process.StandardOutput.ReadLineAsync();
        if (line.Wait(StartPatience) && line.Result is not null) return load;
        load.Dispose();
        throw new BenchException($"{program} {string.Join(' ', start.ArgumentList)} did not begin: {load._errors.Result.Trim()}");
    }

    /// <summary>Throws when it has ended: then what was measured beside it wasn't.</summary>
    public void CheckRuns()
    {
        if (_process.HasExited) throw new BenchException($"the load ended with {_process.ExitCode} before the measurement did: {_errors.Result.Trim()}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }
        _process.WaitForExit();
        _keeper.Dispose();
        _process.Dispose();
    }
}
