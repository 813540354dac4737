using System.Diagnostics;
using System.Runtime.InteropServices;
using Rum.FastPath.Linux;

namespace Rum.Tests;

/// <summary>
/// A network namespace without a name: it exists as long as this process, or one started in it, does. So nothing is left behind, however the tests end. The machine's
/// own interfaces are not in it.
/// </summary>
public sealed partial class NetworkNamespace
{
    private const int CLONE_NEWNET = 0x40000000;

    private readonly FileDescriptor _descriptor;

    private NetworkNamespace(FileDescriptor descriptor) => _descriptor = descriptor;

    /// <summary>Makes one, with its loopback up and without IPv6 (whose neighbour discovery would be foreign frames); null, and why, where that isn't allowed.</summary>
    public static NetworkNamespace? TryCreate(out string why)
    {
        NetworkNamespace? made = null;
        string reason = "";
        var thread = new Thread(() =>
        {
            if (unshare(CLONE_NEWNET) != 0)
            {
                reason = $"no network namespace may be made here ({Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}): needs CAP_SYS_ADMIN";
                return;
            }
            made = new NetworkNamespace(new FileDescriptor(open("/proc/thread-self/ns/net", Descriptors.O_CLOEXEC), nameof(open)));
            foreach (string which in (string[])["all", "default"])
            {
                string path = $"/proc/sys/net/ipv6/conf/{which}/disable_ipv6";
                if (File.Exists(path)) File.WriteAllText(path, "1");
            }
        });
        thread.Start();
        thread.Join();
        if (made is not null && !made.TryRun("ip link set lo up", out reason)) made = null;
        why = reason;
        return made;
    }

    /// <summary>Runs something on a thread that is in the namespace; processes that it starts are in it too.</summary>
    public T Run<T>(Func<T> action)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                ErrnoException.Check(setns(_descriptor.Value, CLONE_NEWNET), nameof(setns));
                result = action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        return result!;
    }

    /// <summary>Runs a command in it; false with what it said.</summary>
    public bool TryRun(string command, out string said)
    {
        string[] words = command.Split(' ');
        string output = "";
        bool good = Run(() =>
        {
            try
            {
                using Process process = Process.Start(new ProcessStartInfo(words[0], words[1..]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
                output = process.StandardError.ReadToEnd() + process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                return process.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception e)
            {
                output = e.Message;
                return false;
            }
        });
        said = $"{command}: {output.Trim()}";
        return good;
    }

    /// <summary>A pair of interfaces that are each other's wire.</summary>
    public bool TryAddWire(string one, string other, int mtu, out string why) =>
        TryRun($"ip link add {one} mtu {mtu} type veth peer name {other} mtu {mtu}", out why)
        && TryRun($"ip link set {one} up", out why) && TryRun($"ip link set {other} up", out why);

    /// <summary>The same through a bridge between them, which can lose what has left an end: <see cref="TryLose"/>.</summary>
    public bool TryAddBridgedWire(string one, string other, int mtu, out string why)
    {
        string bridge = one + "b";
        if (!TryRun($"ip link add {bridge} mtu {mtu} type bridge", out why) || !TryRun($"ip link set {bridge} up", out why)) return false;
        foreach (string end in (string[])[one, other])
            if (!TryAddWire(end, end + "m", mtu, out why) || !TryRun($"ip link set {end}m master {bridge}", out why)) return false;
        return true;
    }

    /// <summary>
    /// Lets the bridge drop so many in a thousand of the frames that come from each end. An end must not know: a packet socket keeps what its own egress hook drops, and sends
    /// it again.
    /// </summary>
    public bool TryLose(string one, string other, int perMille, out string why) =>
        TryRun("nft add table netdev lossy", out why)
        && TryRun($"nft add chain netdev lossy in {{ type filter hook ingress devices = {{ {one}m, {other}m }} priority 0 ; }}", out why)
        && TryRun($"nft add rule netdev lossy in numgen random mod 1000 < {perMille} counter drop", out why);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(int fd, int kind);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);
}
