using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Rum.Cli.Bench;

/// <summary>
/// Two network namespaces without names, joined by a pair of interfaces, each kept by a process that sleeps: nothing is left of them when these end, also when this
/// process is killed. The silo is at the one end, the program at the other, so that the kernel doesn't take a short cut. With a third namespace between them, whose bridge can lose
/// frames that have left their end: what an end's own hook drops, a packet socket keeps and sends again.
/// </summary>
internal sealed class BenchWire : IDisposable
{
    /// <summary>The silo's interface and the program's.</summary>
    public const string SiloFace = "rums0", ProgramFace = "rumc0";

    /// <summary>The silo's address.</summary>
    public const string SiloAddress = "10.77.0.1";

    private const string Bridge = "rumb0";
    private const int Mtu = 9000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Process _silo, _program;
    private readonly Process? _middle;
    private readonly List<Keeper> _keepers = [];

    /// <summary>Makes them, with a bridge in the middle if asked for. Throws <see cref="BenchException"/>.</summary>
    public BenchWire(bool bridged = false)
    {
        _silo = Hold();
        _program = Hold();
        if (bridged)
        {
            _middle = Hold();
            Inside(_middle, "ip", "link", "add", Bridge, "mtu", Text(Mtu), "type", "bridge");
            Inside(_middle, "ip", "link", "set", Bridge, "up");
            foreach ((Process end, string face) in new[] { (_silo, SiloFace), (_program, ProgramFace) })
            {
                Join(end, face, _middle, InMiddle(face));
                Inside(_middle, "ip", "link", "set", InMiddle(face), "master", Bridge, "up");
            }
        }
        else
        {
            Join(_silo, SiloFace, _program, ProgramFace);
        }
        foreach ((Process end, string face, string address) in new[] { (_silo, SiloFace, SiloAddress), (_program, ProgramFace, "10.77.0.2") })
        {
            Inside(end, "ip", "address", "add", address + "/24", "dev", face);
            Inside(end, "ip", "link", "set", "lo", "up");
            Inside(end, "ip", "link", "set", face, "up");
        }
    }

    /// <summary>The file of the silo's namespace.</summary>
    public string SiloNet => Net(_silo);

    /// <summary>What a command that runs at the silo's end begins with.</summary>
    public string[] AtSilo => ["nsenter", "--net=" + Net(_silo), "--"];

    /// <summary>What a command that runs at the program's end begins with.</summary>
    public string[] AtProgram => ["nsenter", "--net=" + Net(_program), "--"];

    /// <summary>Lets the bridge lose so many in a thousand of the frames that come from each end.</summary>
    public void Lose(int perMille)
    {
        Process middle = _middle ?? throw new InvalidOperationException("There is no bridge.");
        Inside(middle, "nft", "flush", "ruleset");
        if (perMille == 0) return;
        Inside(middle, "nft",
            $"table netdev bench {{ chain in {{ type filter hook ingress devices = {{ {InMiddle(SiloFace)}, {InMiddle(ProgramFace)} }} priority 0; numgen random mod 1000 < {Text(perMille)} drop; }}; }}");
    }

    /// <summary>Why there can't be one here, or null.</summary>
    public static string? Missing() =>
        !Environment.IsPrivilegedProcess ? "makes network namespaces: needs root"
        : Array.Find(["ip", "unshare", "nsenter"], program => !BenchCatalog.OnPath(program)) is string program ? $"{program} is not installed" : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Process? end in new[] { _silo, _program, _middle })
        {
            if (end is null) continue;
            end.Kill();
            end.WaitForExit();
            end.Dispose();
        }
        foreach (Keeper keeper in _keepers) keeper.Dispose();
    }

    private static string InMiddle(string face) => face + "m";

    private static void Join(Process one, string face, Process other, string otherFace) =>
        Run("ip", "link", "add", face, "mtu", Text(Mtu), "netns", Text(one.Id), "type", "veth", "peer", "name", otherFace, "mtu", Text(Mtu), "netns", Text(other.Id));

    private Process Hold()
    {
        Process holder = Start("unshare", "-n", "sleep", "infinity");
        _keepers.Add(Keeper.Of(holder));
        // It is in its own namespace when it sleeps.
        string own = Link("/proc/self/ns/net");
        var waited = Stopwatch.StartNew();
        while (Link(Net(holder)) == own || !File.ReadAllText($"/proc/{holder.Id}/comm").StartsWith("sleep", StringComparison.Ordinal))
        {
            if (holder.HasExited || waited.Elapsed > Patience) throw new BenchException("unshare -n makes no network namespace here");
            Thread.Sleep(1);
        }
        return holder;
    }

    private static string Net(Process of) => $"/proc/{of.Id}/ns/net";

    private static string Link(string path) => new FileInfo(path).LinkTarget ?? "";

    private static void Inside(Process end, params string[] command) => Run("nsenter", ["--net=" + Net(end), "--", .. command]);

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        string said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new BenchException($"{program} {string.Join(' ', arguments)}: {said.Trim()}");
    }

    private static Process Start(string program, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        }
        catch (Win32Exception e)
        {
            throw new BenchException($"{program} can't be started: {e.Message}");
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
