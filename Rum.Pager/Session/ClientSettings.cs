using System.Net;
using Rum.Core;
using Rum.Core.Configuration;
using Rum.FastPath.Drivers.Udp;
using Rum.Pager.Paging;

namespace Rum.Pager.Session;

/// <summary>What the environment says to a client process. Read once, at <c>rum_init</c>.</summary>
internal sealed record ClientSettings
{
    /// <summary>The smallest cache that still makes progress.</summary>
    public const long CacheBytesMin = 256 << 10;

    private const long CacheBytesDefault = 64L << 20;

    /// <summary>RUM_MACHINES: the machines file, empty for the local development silo.</summary>
    public string Machines { get; private init; } = "";

    /// <summary>RUM_COMMANDS: who carries this process's commands to the council; null: the silos.</summary>
    public IPEndPoint? Commands { get; private init; }

    /// <summary>RUM_CACHE: local bytes for pages, all included.</summary>
    public long CacheBytes { get; private init; } = CacheBytesDefault;

    /// <summary>The transport that keeps pages in this process: for measuring what a real one costs.</summary>
    public const string Floor = "floor";

    /// <summary>RUM_TRANSPORT: auto, shm, udp, dpdk or <see cref="Floor"/>.</summary>
    public string Transport { get; private init; } = "auto";

    /// <summary>RUM_DPDK: EAL arguments and, behind "--", the driver's own.</summary>
    public string Dpdk { get; private init; } = "";

    /// <summary>RUM_UDP_PAYLOAD: payload bytes per UDP frame sent; zero: by the path's MTU.</summary>
    public int UdpPayload { get; private init; }

    /// <summary>RUM_TEST_DEFECT: for tests that prove that they would notice; updates are then lost on purpose.</summary>
    public PagerDefect Defect { get; private init; }

    /// <summary>RUM_PAGER: auto, move or copy.</summary>
    public string Pager { get; private init; } = "auto";

    /// <summary>RUM_FAULT: handler or inline.</summary>
    public FaultMode Faults { get; private init; }

    /// <summary>RUM_FAULT_TIMEOUT: how long an access waits for its page; zero for ever.</summary>
    public TimeSpan FaultTimeout { get; private init; }

    /// <summary>RUM_LEASE: the lease asked for; zero for the council's default.</summary>
    public TimeSpan Lease { get; private init; }

    /// <summary>RUM_COPIES: copies of each page of what this process allocates and doesn't ask otherwise for; 0: as the cluster is configured.</summary>
    public byte Copies { get; private init; }

    /// <summary>RUM_LOG: what goes to stderr.</summary>
    public LogLevel Log { get; private init; } = LogLevel.Warn;

    /// <summary>Reads the environment. Throws BadConfiguration naming the variable.</summary>
    public static ClientSettings Read(Func<string, string?> variable) => new()
    {
        Machines = variable("RUM_MACHINES") ?? "",
        Commands = Address(variable, "RUM_COMMANDS"),
        CacheBytes = Size(variable, "RUM_CACHE", CacheBytesDefault),
        Transport = OneOf(variable, "RUM_TRANSPORT", "auto", "shm", "udp", "dpdk", Floor),
        Dpdk = variable("RUM_DPDK") ?? "",
        UdpPayload = Payload(variable, "RUM_UDP_PAYLOAD"),
        Defect = Enum.Parse<PagerDefect>(OneOf(variable, "RUM_TEST_DEFECT", nameof(PagerDefect.None), nameof(PagerDefect.AbsentAtMoveOut), nameof(PagerDefect.ShortHash)), ignoreCase: true),
        Pager = OneOf(variable, "RUM_PAGER", "auto", "move", "copy"),
        Faults = Enum.Parse<FaultMode>(OneOf(variable, "RUM_FAULT", "handler", "inline"), ignoreCase: true),
        FaultTimeout = Time(variable, "RUM_FAULT_TIMEOUT"),
        Lease = Time(variable, "RUM_LEASE"),
        Copies = CopiesOf(variable("RUM_COPIES")),
        Log = Enum.Parse<LogLevel>(OneOf(variable, "RUM_LOG", "warn", "error", "info", "debug"), ignoreCase: true),
    };

    private static byte CopiesOf(string? text)
    {
        if (string.IsNullOrEmpty(text)) return 0;
        return byte.TryParse(text, out byte copies) && copies is >= 1 and <= SiloSet.Max ? copies : throw Wrong("RUM_COPIES", text, $"1 to {SiloSet.Max}");
    }

    private static long Size(Func<string, string?> variable, string name, long unset)
    {
        string? text = variable(name);
        if (string.IsNullOrEmpty(text)) return unset;
        if (!ByteSize.TryParse(text, out long bytes)) throw Wrong(name, text, ByteSize.Expected);
        if (bytes < CacheBytesMin) throw Wrong(name, text, $"at least {ByteSize.Format(CacheBytesMin)}");
        return bytes;
    }

    private static IPEndPoint? Address(Func<string, string?> variable, string name)
    {
        string? text = variable(name);
        if (string.IsNullOrEmpty(text)) return null;
        return IPEndPoint.TryParse(text, out IPEndPoint? address) && address.Port != 0 ? address : throw Wrong(name, text, "ip:port");
    }

    private static int Payload(Func<string, string?> variable, string name)
    {
        string? text = variable(name);
        if (string.IsNullOrEmpty(text)) return 0;
        bool good = int.TryParse(text, out int bytes) && bytes is >= UdpDriverOptions.MaxPayloadMin and <= UdpDriverOptions.MaxPayloadMax;
        return good ? bytes : throw Wrong(name, text, $"{UdpDriverOptions.MaxPayloadMin} to {UdpDriverOptions.MaxPayloadMax} bytes");
    }

    private static TimeSpan Time(Func<string, string?> variable, string name)
    {
        string? text = variable(name);
        if (string.IsNullOrEmpty(text)) return TimeSpan.Zero;
        return TimeSpanText.TryParse(text, out TimeSpan time) ? time : throw Wrong(name, text, TimeSpanText.Expected);
    }

    /// <summary>The first of the allowed words where the variable isn't set.</summary>
    private static string OneOf(Func<string, string?> variable, string name, params string[] allowed)
    {
        string? text = variable(name);
        if (string.IsNullOrEmpty(text)) return allowed[0];
        foreach (string word in allowed)
        {
            if (word.Equals(text, StringComparison.OrdinalIgnoreCase)) return word;
        }
        throw Wrong(name, text, string.Join(", ", allowed));
    }

    private static RumException Wrong(string name, string text, string expected) =>
        new(RumError.BadConfiguration, $"the environment variable {name} is '{text}'; expected {expected}.");
}

/// <summary>How much is said on stderr.</summary>
internal enum LogLevel
{
    /// <summary>What went wrong.</summary>
    Error,

    /// <summary>What may go wrong.</summary>
    Warn,

    /// <summary>What happens.</summary>
    Info,

    /// <summary>In detail.</summary>
    Debug,
}
