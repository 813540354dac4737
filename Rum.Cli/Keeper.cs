using System.ComponentModel;
using System.Diagnostics;

namespace Rum.Cli;

/// <summary>
/// Puts away what this process leaves behind when it is killed: a shell that waits for the end of its input, which the kernel closes with this process. A
/// signal at the parent's death would come with that of the thread that started the child, and couldn't put away what isn't a process.
/// </summary>
internal sealed class Keeper : IDisposable
{
    private readonly Process? _shell;

    /// <summary>Keeps ready commands of a shell, which finds the arguments as $1, $2...</summary>
    public Keeper(string commands, params ReadOnlySpan<string> arguments)
    {
        // Ctrl-C in a terminal goes to every process; ours ends in order then.
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"trap '' INT HUP TERM; read -r end || {{ {commands}; }}", "keeper", .. arguments])
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        try
        {
            _shell = Process.Start(start);
        }
        catch (Win32Exception)
        {
            // No shell: the work goes on without.
        }
    }

    /// <summary>Kills a process.</summary>
    public static Keeper Of(Process process) => new("kill -9 \"$1\" 2> /dev/null", $"{process.Id}");

    /// <summary>There is nothing left to put away. The caller has done it, or does so now.</summary>
    public void Dispose()
    {
        if (_shell is null) return;
        try
        {
            _shell.StandardInput.Write("end\n");
            _shell.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It was killed itself.
        }
        _shell.WaitForExit();
        _shell.Dispose();
    }
}
