namespace Rum.Silo.Configuration;

/// <summary>A setting of <c>rum silo run</c>: one name for the settings file, the environment and the command line.</summary>
/// <param name="Key">The name in the settings file: "memory".</param>
/// <param name="Help">One line for <c>--help</c>.</param>
/// <param name="Argument">What its value is called in the help; empty for a switch.</param>
public sealed record SiloSetting(string Key, string Argument, string Help)
{
    /// <summary>The environment variable: RUM_SILO_MEMORY, RUM_SILO_LOG_FORMAT.</summary>
    public string Variable { get; } = "RUM_SILO_" + Key.ToUpperInvariant().Replace('-', '_');

    /// <summary>The flag: --memory.</summary>
    public string Flag { get; } = "--" + Key;

    /// <summary>Whether it takes no value on the command line.</summary>
    public bool IsSwitch => Argument.Length == 0;

    /// <summary>All of them, in the order of the help.</summary>
    public static IReadOnlyList<SiloSetting> All { get; } =
    [
        new("dev", "", "One silo on this machine for development: 127.0.0.1:7400, no file needed, memory only"),
        new("machines", "file", "The cluster's silos, a line each: ip[:port],mac"),
        new("self", "ip:port", "Which line of the machines file this silo is (default: the one with an address of this machine)"),
        new("memory", "size", "Memory offered to the cluster: 4G, 512M (default 1G); 0 for a council without pages"),
        new("transport", "udp|shm|dpdk|auto", "How clients reach it; auto is udp, and shared memory for clients on this machine (default auto)"),
        new("direct-reads", "on|off", "Whether programs of this user on this machine may read pages out of the silo's memory without asking it (default on)"),
        new("dpdk", "arguments", "With --transport dpdk: EAL arguments and, behind ' -- ', the driver's own; see docs/DPDK.md and rum dpdk check"),
        new("data", "directory", "Where this silo keeps its seat of the council; a silo without one is never a council member"),
        new("init", "", "Give birth to the cluster if the data directory is empty"),
        new("snapshots", "directory", "Where this silo keeps its part of snapshots (default: snapshots in the data directory)"),
        new("snapshot-every", "time", "Make a snapshot so often while this silo leads the council, for example 10m (default: only when asked)"),
        new("snapshot-keep", "n", "How many of those are kept (default 3)"),
        new("snapshot-on-stop", "", "Make a snapshot on SIGTERM or SIGINT before the silo ends; a second signal ends it at once"),
        new("http", "ip:port", "Address of the web pages: /rum, /health, /status, /stats; 'off' for none (default: 127.0.0.1, port + 80)"),
        new("http-token", "text", "What readers of the web pages except /health must show; the same at all silos (default: none)"),
        new("cpu", "n", "The CPU that the page server's thread is bound to (default: none)"),
        new("suspect", "time", "How long a silo may give no sign of life (one each 100 ms) before others go on without it (default 1s)"),
        new("lease", "time", "How long a client may be silent before its session ends (default 10s)"),
        new("name", "text", "The silo's name in rum status (default: its ip:port)"),
        new("label", "text", "Its rack or zone (default: none)"),
        new("plane", "static|orleans", "Who carries commands: the silos themselves, or grains, on Microsoft Orleans where that is built in (default static)"),
        new("clustering", "dev|redis|adonet", "Where Orleans keeps its silos: at the first silo of the machines file, in Redis, in PostgreSQL (default dev)"),
        new("connection", "text", "How to reach Redis (host:port) or PostgreSQL (Host=...;Username=...;Database=...)"),
        new("dashboard-password", "text", "Password of user rum for Orleans' dashboard at /dashboard (default: one is drawn at each start and logged)"),
        new("tls-certificate", "file", "PKCS#12 file with certificate and key for Orleans' connections (default: no TLS)"),
        new("tls-authority", "file", "PEM file with the authority that the certificates of others must come from (default: the system's)"),
        new("tls-mutual", "", "Ask the other end of a TLS connection for its certificate, too"),
        new("log-level", "error|warn|info|debug", "What is logged to stderr (default info)"),
        new("log-format", "text|json", "A short line or a JSON object for each message (default text)"),
    ];

    /// <summary>The setting of a key, or null.</summary>
    public static SiloSetting? Find(string key) => All.FirstOrDefault(s => s.Key == key);
}

/// <summary>A setting's value as text, and where it came from, for messages.</summary>
public readonly record struct SettingValue(string Text, string Origin);
