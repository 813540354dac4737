using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using Rum.Core;
using Rum.Core.Configuration;
using Rum.FastPath.Drivers.Dpdk;

namespace Rum.Silo.Configuration;

/// <summary>
/// Checks settings and turns them into <see cref="SiloSettings"/>. All errors are gathered, each names its setting, where the value came from and what was
/// expected. What it needs to know of the machine (its addresses, the machines file) is asked through the constructor, so that it can be tested.
/// </summary>
public sealed class SiloSettingsReader(
    IReadOnlyDictionary<string, SettingValue> values, Func<string, string> readFile, Func<IReadOnlyCollection<IPAddress>> localAddresses)
{
    private readonly List<string> _errors = [];

    /// <summary>What is wrong, a line each; empty when <see cref="Read"/> gave settings.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>The settings, or null with <see cref="Errors"/>.</summary>
    public SiloSettings? Read()
    {
        bool dev = Switch("dev");
        MachinesFile? machines = ReadMachines(dev);
        IPEndPoint? self = dev ? DevAddress() : machines is null ? null : FindSelf(machines);
        long memory = Memory();
        SiloTransport transport = Choice("transport", SiloTransport.Auto,
            ("auto", SiloTransport.Auto), ("udp", SiloTransport.Udp), ("shm", SiloTransport.SharedMemory), ("dpdk", SiloTransport.Dpdk));
        bool direct = Choice("direct-reads", true, ("on", true), ("off", false));
        DpdkOptions? dpdk = Dpdk(transport);
        int cpu = Cpu();
        TimeSpan lease = Time("lease", TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(200), "from 200ms to 1h");
        TimeSpan suspect = Time("suspect", TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(300), "from 300ms to 1h");
        LogLevel level = Choice("log-level", LogLevel.Information,
            ("info", LogLevel.Information), ("error", LogLevel.Error), ("warn", LogLevel.Warning), ("debug", LogLevel.Debug));
        SiloPlane plane = Choice("plane", SiloPlane.Static, ("static", SiloPlane.Static), ("orleans", SiloPlane.Orleans));
        OrleansSettings orleans = Orleans();
        bool json = Choice("log-format", false, ("text", false), ("json", true));
        IPEndPoint? http = self is null ? null : Http(self);
        bool init = Switch("init");
        string? data = Text("data");
        string? snapshots = Text("snapshots") ?? (data is null ? null : Path.Combine(data, "snapshots"));
        TimeSpan every = values.ContainsKey("snapshot-every") ? Time("snapshot-every", default, TimeSpan.FromSeconds(1), "from 1s to 24h", TimeSpan.FromDays(1)) : default;
        int keep = Count("snapshot-keep", 3, 1, 200);
        bool onStop = Switch("snapshot-on-stop");
        if (self is not null && machines is { Machines.Count: 1 } && data is null)
            _errors.Add("data: missing; this silo is alone in the machines file, so it holds the council, whose log needs a directory, for example --data /var/lib/rum");
        if (init && data is null && !dev) _errors.Add("init: a cluster is born in a directory; say which with --data, for example --data /var/lib/rum");
        if (_errors.Count > 0) return null;

        return new SiloSettings
        {
            Self = self!,
            Silos = machines is null ? [self!] : [.. machines.Machines.Select(m => m.Endpoint)],
            MachinesPath = Text("machines"),
            Name = Text("name") ?? self!.ToString(),
            Mac = machines is null ? "" : machines.Machines[machines.IndexOf(self!)].Mac,
            Label = Text("label") ?? "",
            Memory = memory,
            Transport = transport,
            DirectReads = direct,
            Dpdk = dpdk,
            DataDirectory = data,
            Init = init,
            SnapshotDirectory = snapshots,
            SnapshotEvery = every,
            SnapshotKeep = keep,
            SnapshotOnStop = onStop,
            Http = http,
            HttpToken = Text("http-token") ?? "",
            Cpu = cpu,
            Lease = lease,
            Suspect = suspect,
            Dev = dev,
            Plane = plane,
            Orleans = orleans,
            LogLevel = level,
            LogJson = json,
        };
    }

    private MachinesFile? ReadMachines(bool dev)
    {
        if (dev)
        {
            if (values.TryGetValue("machines", out SettingValue both))
                _errors.Add($"machines: ({both.Origin}) can't go together with dev; a development silo is alone");
            return null;
        }
        if (!values.TryGetValue("machines", out SettingValue path))
        {
            _errors.Add("machines: missing; say --machines machines.csv, or --dev for a development silo on this machine");
            return null;
        }
        try
        {
            if (MachinesFile.TryParse(path.Text, readFile(path.Text), out MachinesFile? file, out string error)) return file;
            _errors.Add($"machines: {error}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _errors.Add($"machines: {path.Text} ({path.Origin}) can't be read: {e.Message}");
        }
        return null;
    }

    private IPEndPoint? DevAddress() =>
        values.ContainsKey("self") ? Address("self", Endpoint.DefaultPort) : new IPEndPoint(IPAddress.Loopback, Endpoint.DefaultPort);

    private IPEndPoint? FindSelf(MachinesFile machines)
    {
        if (values.TryGetValue("self", out SettingValue said))
        {
            IPEndPoint? self = Address("self", Endpoint.DefaultPort);
            if (self is null || machines.IndexOf(self) >= 0) return self;
            _errors.Add($"self: {self} ({said.Origin}) stands in no line of {machines.Name}; expected one of {Names(machines.Machines)}");
            return null;
        }
        IReadOnlyCollection<IPAddress> mine = localAddresses();
        List<Machine> found = [.. machines.Machines.Where(m => mine.Contains(m.Endpoint.Address))];
        if (found.Count == 1) return found[0].Endpoint;
        _errors.Add(found.Count == 0
            ? $"self: missing, and no line of {machines.Name} has an address of this machine; say --self with one of {Names(machines.Machines)}"
            : $"self: missing, and several lines of {machines.Name} have addresses of this machine; say --self with one of {Names(found)}");
        return null;
    }

    private long Memory()
    {
        if (!values.TryGetValue("memory", out SettingValue said)) return 1L << 30;
        if (ByteSize.TryParse(said.Text, out long bytes) && bytes <= 1L << 46) return bytes & ~(long)(Layout.PageSize - 1);
        Wrong("memory", said, ByteSize.Expected + ", at most 64T");
        return 0;
    }

    private OrleansSettings Orleans()
    {
        OrleansClustering clustering = Choice("clustering", OrleansClustering.Development,
            ("dev", OrleansClustering.Development), ("redis", OrleansClustering.Redis), ("adonet", OrleansClustering.AdoNet));
        if (clustering != OrleansClustering.Development && Text("connection") is null)
            _errors.Add($"connection: missing; clustering by {(clustering == OrleansClustering.Redis ? "Redis needs --connection host:port" : "PostgreSQL needs --connection \"Host=...;Username=...;Database=...\"")}");
        if (Text("tls-certificate") is null && (Switch("tls-mutual") || Text("tls-authority") is not null))
            _errors.Add("tls-certificate: missing; TLS needs a certificate with its key, for example --tls-certificate silo.p12");
        return new OrleansSettings
        {
            Clustering = clustering,
            Connection = Text("connection") ?? "",
            DashboardPassword = Text("dashboard-password") ?? "",
            TlsCertificate = Text("tls-certificate") ?? "",
            TlsAuthority = Text("tls-authority") ?? "",
            TlsMutual = Switch("tls-mutual"),
        };
    }

    private DpdkOptions? Dpdk(SiloTransport transport)
    {
        bool there = values.TryGetValue("dpdk", out SettingValue said);
        if (transport != SiloTransport.Dpdk)
        {
            if (there) _errors.Add($"dpdk: ({said.Origin}) is for --transport dpdk");
            return null;
        }
        try
        {
            return DpdkOptions.Parse(there ? said.Text : "");
        }
        catch (DpdkException e)
        {
            _errors.Add($"dpdk: {e.Message} (from {said.Origin})");
            return null;
        }
    }

    private int Cpu()
    {
        if (!values.TryGetValue("cpu", out SettingValue said)) return -1;
        if (int.TryParse(said.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int cpu) && cpu < 4096) return cpu;
        Wrong("cpu", said, "the number of a CPU, from 0");
        return -1;
    }

    private int Count(string key, int otherwise, int min, int max)
    {
        if (!values.TryGetValue(key, out SettingValue said)) return otherwise;
        if (int.TryParse(said.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count >= min && count <= max) return count;
        Wrong(key, said, $"a number from {min} to {max}");
        return otherwise;
    }

    private TimeSpan Time(string key, TimeSpan otherwise, TimeSpan min, string range, TimeSpan? max = null)
    {
        if (!values.TryGetValue(key, out SettingValue said)) return otherwise;
        if (TimeSpanText.TryParse(said.Text, out TimeSpan time) && time >= min && time <= (max ?? TimeSpan.FromHours(1))) return time;
        Wrong(key, said, $"{TimeSpanText.Expected}, {range}");
        return default;
    }

    private IPEndPoint? Http(IPEndPoint self)
    {
        if (!values.TryGetValue("http", out SettingValue said))
            return self.Port + 80 <= 65535 ? new IPEndPoint(IPAddress.IsLoopback(self.Address) ? self.Address : IPAddress.Loopback, self.Port + 80) : null;
        return said.Text == "off" ? null : Address("http", self.Port + 80);
    }

    private IPEndPoint? Address(string key, int defaultPort)
    {
        SettingValue said = values[key];
        if (Endpoint.TryParse(said.Text.AsSpan().Trim(), defaultPort, out IPEndPoint endpoint, out string error, out _)) return endpoint;
        _errors.Add($"{key}: {error} (from {said.Origin})");
        return null;
    }

    private bool Switch(string key)
    {
        if (!values.TryGetValue(key, out SettingValue said)) return false;
        if (bool.TryParse(said.Text, out bool on)) return on;
        if (said.Text is "1" or "0") return said.Text == "1";
        Wrong(key, said, "true or false");
        return false;
    }

    private T Choice<T>(string key, T otherwise, params ReadOnlySpan<(string Name, T Value)> choices)
    {
        if (!values.TryGetValue(key, out SettingValue said)) return otherwise;
        string names = "";
        foreach ((string name, T value) in choices)
        {
            if (name == said.Text) return value;
            names += (names.Length == 0 ? "" : ", ") + name;
        }
        Wrong(key, said, "one of " + names);
        return otherwise;
    }

    private string? Text(string key) => values.TryGetValue(key, out SettingValue said) && said.Text.Length > 0 ? said.Text : null;

    private void Wrong(string key, SettingValue said, string expected) =>
        _errors.Add($"{key}: '{said.Text}' (from {said.Origin}) is not right; expected {expected}");

    private static string Names(IReadOnlyList<Machine> machines) => string.Join(", ", machines.Select(m => m.Endpoint));
}
