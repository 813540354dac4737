using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Rum.FastPath.Tracing;

namespace Rum.FastPath.Drivers.Dpdk;

/// <summary>How a poller waits when nothing comes.</summary>
public enum DpdkWait
{
    /// <summary>It blocks on the port's descriptor when its owner has stopped spinning.</summary>
    Adaptive,

    /// <summary>It never blocks: for cores to spare.</summary>
    Busy,
}

/// <summary>
/// What "--dpdk" and RUM_DPDK say: EAL arguments, then behind "--" the driver's own, as DPDK's programs have it. Immutable.
/// </summary>
public sealed record DpdkOptions
{
    /// <summary>The EtherType of RUM's frames: the one that IEEE 802 leaves to local experiments, so that no other protocol's frames are taken.</summary>
    public const ushort DefaultEtherType = 0x88B5;

    /// <summary>EAL arguments as said.</summary>
    public IReadOnlyList<string> Eal { get; init; } = [];

    /// <summary>--wait: how to wait.</summary>
    public DpdkWait Wait { get; init; }

    /// <summary>--mtu: bytes of a frame behind its Ethernet header; 0: the most that the port and its link carry, 9000 at most.</summary>
    public int Mtu { get; init; }

    /// <summary>--queues: receive and send queues per port.</summary>
    public int Queues { get; init; } = 1;

    /// <summary>--ip: frames travel in UDP over IPv4 from this address, so that they can be routed; null: raw Ethernet.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>--prefix: leading bits of the address that name its network; others are reached by the gateway.</summary>
    public int PrefixLength { get; init; } = 24;

    /// <summary>--gateway: the MAC of the router towards other networks.</summary>
    public ulong Gateway { get; init; }

    /// <summary>--udp-port: source and destination port in UDP.</summary>
    public int UdpPort { get; init; } = 7400;

    /// <summary>--checksum: whether frames carry a CRC; null: all but those that stay in this machine's memory.</summary>
    public bool? Checksum { get; init; }

    /// <summary>--ethertype: of raw frames.</summary>
    public ushort EtherType { get; init; } = DefaultEtherType;

    /// <summary>--copy: pages are copied into DPDK's buffers even where the port could send them from their place.</summary>
    public bool CopyAlways { get; init; }

    /// <summary>--trace: a file for the moments at which frames are handed over; null: none. For benchmarks.</summary>
    public string? Trace { get; init; }

    /// <summary>Reads the text. Throws <see cref="DpdkException"/> naming the word that is wrong.</summary>
    public static DpdkOptions Parse(string text)
    {
        string[] words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        int split = Array.IndexOf(words, "--");
        var options = new DpdkOptions { Eal = split < 0 ? words : words[..split] };
        for (int i = split < 0 ? words.Length : split + 1; i < words.Length; i++)
        {
            string name = words[i];
            string? value = null;
            int equals = name.IndexOf('=');
            if (equals >= 0) (name, value) = (name[..equals], name[(equals + 1)..]);
            else if (name != "--copy") value = ++i < words.Length ? words[i] : throw Wrong(name, "", "a value behind it");
            options = options.With(name, value ?? "");
        }
        return options;
    }

    /// <summary>Opens what <see cref="Trace"/> names. Throws <see cref="DpdkException"/>.</summary>
    internal StageTrace? OpenTrace()
    {
        try
        {
            return Trace is null ? null : StageTrace.Of(Trace);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DpdkException($"--trace {Trace}: {e.Message}");
        }
    }

    private DpdkOptions With(string name, string value) => name switch
    {
        "--wait" => value switch
        {
            "busy" => this with { Wait = DpdkWait.Busy },
            "adaptive" => this with { Wait = DpdkWait.Adaptive },
            _ => throw Wrong(name, value, "busy or adaptive"),
        },
        "--mtu" => this with { Mtu = Number(name, value, 512, 9216) },
        "--queues" => this with { Queues = Number(name, value, 1, 16) },
        "--ip" => WithAddress(name, value),
        "--gateway" => this with { Gateway = MacAddress.TryParse(value, out ulong mac) ? mac : throw Wrong(name, value, "a MAC address such as aa:bb:cc:dd:ee:ff") },
        "--udp-port" => this with { UdpPort = Number(name, value, 1, 65535) },
        "--checksum" => this with { Checksum = value is "on" or "off" ? value == "on" : throw Wrong(name, value, "on or off") },
        "--ethertype" => this with { EtherType = EtherTypeOf(name, value) },
        "--copy" => this with { CopyAlways = true },
        "--trace" => this with { Trace = value },
        _ => throw Wrong(name, value, "--wait, --mtu, --queues, --ip, --gateway, --udp-port, --checksum, --ethertype, --copy or --trace behind the '--'"),
    };

    private DpdkOptions WithAddress(string name, string value)
    {
        string[] parts = value.Split('/');
        bool good = IPAddress.TryParse(parts[0], out IPAddress? address) && address.AddressFamily == AddressFamily.InterNetwork && parts.Length <= 2;
        if (!good) throw Wrong(name, value, "an IPv4 address such as 10.0.0.1/24");
        return this with { Address = address, PrefixLength = parts.Length == 2 ? Number(name, parts[1], 1, 32) : 24 };
    }

    private static ushort EtherTypeOf(string name, string value)
    {
        ReadOnlySpan<char> digits = value.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? value.AsSpan(2) : value;
        // Below 0x600 the field is a length; 0x800, 0x806 and 0x86dd are other protocols'.
        bool good = ushort.TryParse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ushort type) && type >= 0x600 && type is not (0x800 or 0x806 or 0x86dd);
        return good ? type : throw Wrong(name, value, "a hexadecimal EtherType such as 0x88b5");
    }

    private static int Number(string name, string value, int min, int max) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max
            ? number
            : throw Wrong(name, value, $"a number from {min} to {max}");

    private static DpdkException Wrong(string name, string value, string expected) => new($"the DPDK option {name} '{value}' is not right; expected {expected}.");
}
