using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Drivers.Simulated;

/// <summary>
/// A network inside one thread: no sockets, no clock, no randomness but the seed's. The same calls with the same seed do the same, bit for bit.
/// Time stands still until <see cref="AdvanceTo"/>; a frame is at its receiver when its moment has passed. Not thread-safe.
/// </summary>
public sealed unsafe partial class SimulatedNetwork : IDisposable
{
    /// <summary>Bytes of the longest datagram, legal or not.</summary>
    internal const int FrameBytesMax = FrameHeader.Size + Layout.PageSize + 64;

    private readonly List<SimulatedDriver> _endpoints = [];
    private readonly Dictionary<(int From, int To), LinkSettings> _links = [];
    private readonly HashSet<(int From, int To)> _blocked = [];
    private readonly PriorityQueue<nint, (long Due, long Order)> _flying = new();
    private readonly Stack<nint> _free = new();
    private readonly List<nint> _blocks = [];
    private DeterministicRandom _random;
    private long _frames, _order;

    /// <summary>A network whose chances are drawn from <paramref name="seed"/>.</summary>
    public SimulatedNetwork(ulong seed, SimulatedNetworkOptions? options = null)
    {
        Options = options ?? new SimulatedNetworkOptions();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Options.MaxPayload, Layout.PageSize, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(Options.MaxPayload, 1, nameof(options));
        _random = new DeterministicRandom(seed);
    }

    /// <summary>The settings.</summary>
    public SimulatedNetworkOptions Options { get; }

    /// <summary>Virtual time in nanoseconds, from 0.</summary>
    public long NowNs { get; private set; }

    /// <summary>When the next frame arrives; <see cref="long.MaxValue"/> when none is on its way. For simulators that jump.</summary>
    public long NextArrivalNs => _flying.TryPeek(out _, out (long Due, long Order) key) ? key.Due : long.MaxValue;

    /// <summary>Told of everything that happens, if set.</summary>
    public Action<SimulatedEvent>? Trace { get; set; }

    /// <summary>A hash over everything that happened: equal for equal runs.</summary>
    public ulong TraceHash { get; private set; } = 0xcbf29ce484222325;

    /// <summary>Adds an end point. Its address says its number, counted from 0; see <see cref="AddressOf"/>.</summary>
    public SimulatedDriver CreateEndpoint()
    {
        var driver = new SimulatedDriver(this, _endpoints.Count);
        _endpoints.Add(driver);
        return driver;
    }

    /// <summary>The address of end point <paramref name="number"/>.</summary>
    public static PeerAddress AddressOf(int number) => new(0, (ulong)number, 0x51D);

    /// <summary>Settings of one direction between two end points from now on.</summary>
    public void SetLink(int from, int to, LinkSettings settings) => _links[(from, to)] = settings;

    /// <summary>Lets nothing more through in one direction; what is on its way still arrives.</summary>
    public void Block(int from, int to) => _blocked.Add((from, to));

    /// <summary>Ends <see cref="Block"/>.</summary>
    public void Unblock(int from, int to) => _blocked.Remove((from, to));

    /// <summary>Moves time forward and delivers what is due, in order of arrival.</summary>
    public void AdvanceTo(long nowNs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(nowNs, NowNs);
        while (_flying.TryPeek(out nint flying, out (long Due, long Order) key) && key.Due <= nowNs)
        {
            _flying.Dequeue();
            NowNs = key.Due;
            Arrive((Datagram*)flying);
        }

        NowNs = nowNs;
    }

    /// <summary>Puts raw bytes on the wire, legal frame or garbage, past the sender's own checks.</summary>
    public void Inject(int from, int to, ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, FrameBytesMax, nameof(bytes));
        Datagram* datagram = Rent();
        bytes.CopyTo(new Span<byte>(datagram->Bytes, FrameBytesMax));
        Launch(datagram, from, to, bytes.Length);
    }

    /// <summary>Frees all frames. The end points are unusable afterwards.</summary>
    public void Dispose()
    {
        foreach (nint block in _blocks) NativeMemory.AlignedFree((void*)block);
        _blocks.Clear();
        _free.Clear();
        _flying.Clear();
    }
}
