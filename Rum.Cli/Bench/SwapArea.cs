using System.Diagnostics;
using System.Globalization;

namespace Rum.Cli.Bench;

/// <summary>
/// Swap to compressed memory for one program: a zram device of its own, made, used and removed here, and a control group whose limit keeps all but the
/// program's share out of local memory. Only that group comes under pressure; no other device of the machine is touched.
/// </summary>
internal sealed class SwapArea : IDisposable
{
    private const string Control = "/sys/class/zram-control";
    private const string GroupsV1 = "/sys/fs/cgroup/memory", GroupsV2 = "/sys/fs/cgroup";

    private readonly string _group;
    private readonly Keeper? _keeper;
    private string? _number;
    private bool _on;

    /// <summary>An area of <paramref name="swapMib"/> MiB for programs that keep <paramref name="localMib"/> MiB beside what they need to run.</summary>
    public SwapArea(int localMib, int swapMib, string directory)
    {
        _group = Path.Combine(IsV1 ? GroupsV1 : GroupsV2, $"rum-bench-{Environment.ProcessId}");
        Enter = Path.Combine(directory, "in-group.sh");
        try
        {
            _number = File.ReadAllText(Path.Combine(Control, "hot_add")).Trim();
            _keeper = new Keeper(PutAway, Device, _group, _number);
            File.WriteAllText($"/sys/block/zram{_number}/disksize", swapMib.ToString(CultureInfo.InvariantCulture) + "M");
            Must("mkswap", Device);
            Must("swapon", Device);
            _on = true;
            Directory.CreateDirectory(_group);
            long limit = (localMib + 4L) << 20;
            File.WriteAllText(Path.Combine(_group, IsV1 ? "memory.limit_in_bytes" : "memory.max"), limit.ToString(CultureInfo.InvariantCulture));
            File.WriteAllText(Enter, $"#!/bin/sh\necho $$ > {_group}/cgroup.procs && exec \"$@\"\n");
            File.SetUnixFileMode(Enter, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Dispose();
            throw new BenchException($"no swap to zram: {e.Message}");
        }
        catch (BenchException)
        {
            Dispose();
            throw;
        }
    }

    // What is in the group ends first, or swapoff would bring all of it back.
    private const string PutAway = """
        while read -r p; do kill -9 "$p"; done < "$2/cgroup.procs"
        PATH=$PATH:/sbin swapoff "$1"
        for i in 1 2 3 4 5 6 7 8 9; do
            rmdir "$2" && break
            sleep 0.1
        done
        echo "$3" > /sys/class/zram-control/hot_remove
        """;

    /// <summary>A script that runs its arguments inside of the group.</summary>
    public string Enter { get; }

    private static bool IsV1 => Directory.Exists(GroupsV1);

    private string Device => $"/dev/zram{_number}";

    /// <summary>Why this machine can't, or null.</summary>
    public static string? WhyNot()
    {
        if (Environment.UserName != "root") return "swap to zram needs root";
        if (!File.Exists(Path.Combine(Control, "hot_add"))) return "the kernel has no zram (modprobe zram)";
        if (!IsV1 && !(File.Exists(Path.Combine(GroupsV2, "cgroup.subtree_control"))
            && File.ReadAllText(Path.Combine(GroupsV2, "cgroup.subtree_control")).Contains("memory", StringComparison.Ordinal)))
            return "no memory controller of control groups in " + GroupsV2;
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            if (_on) Must("swapoff", Device);
            _on = false;
            if (Directory.Exists(_group)) Directory.Delete(_group);
            if (_number is not null) File.WriteAllText(Path.Combine(Control, "hot_remove"), _number);
            _number = null;
            _keeper?.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or BenchException)
        {
            Console.Error.WriteLine($"rum bench: {Device} or {_group} could not be removed: {e.Message}");
        }
    }

    private static void Must(string program, string argument)
    {
        // Where Debian keeps them, whatever the PATH of a user.
        string path = File.Exists("/sbin/" + program) ? "/sbin/" + program : program;
        using Process process = Process.Start(new ProcessStartInfo(path, [argument]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardOutput.ReadToEnd();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new BenchException($"{program} {argument} ended with {process.ExitCode}: {errors.Trim()}");
    }
}
