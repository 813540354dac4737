using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Rum.Cli.Demo;

/// <summary>A silo as a process of its own, started with this very program.</summary>
internal sealed class SiloProcess
{
    private const int Sigterm = 15;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Keeper _keeper;

    private SiloProcess(string name, string http, Process process)
    {
        Name = name;
        Http = http;
        _process = process;
        _keeper = Keeper.Of(process);
    }

    public string Name { get; }

    public string Http { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public static SiloProcess Start(string name, string http, IReadOnlyList<string> arguments)
    {
        // Under "dotnet rum.dll" the process is dotnet; under its own host it is rum.
        string self = Environment.ProcessPath!;
        var start = new ProcessStartInfo(self) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(self) == "dotnet") start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "rum.dll"));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        // Settings of the caller's silo must not leak into these.
        foreach (string variable in start.Environment.Keys.Where(k => k.StartsWith("RUM_SILO_", StringComparison.Ordinal)).ToArray()) start.Environment.Remove(variable);
        return new SiloProcess(name, http, Process.Start(start)!);
    }

    /// <summary>Ends it at once, without a word to anybody.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Asks it to stop, and kills it when it doesn't.</summary>
    public async Task StopAsync()
    {
        if (!_process.HasExited)
        {
            if (kill(_process.Id, Sigterm) != 0 && !_process.HasExited) throw new Win32Exception();
            using var patience = new CancellationTokenSource(StopPatience);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Console.WriteLine($"{Name} did not stop within {StopPatience.TotalSeconds:0} s; killing it.");
                _process.Kill();
            }
        }
        _keeper.Dispose();
        _process.Dispose();
    }

#pragma warning disable SYSLIB1054 // LibraryImport would need unsafe code in this room
    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int process, int signal);
#pragma warning restore SYSLIB1054
}
