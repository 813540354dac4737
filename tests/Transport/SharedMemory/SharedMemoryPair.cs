using System.Diagnostics;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.SharedMemory;

internal sealed class SharedMemoryPair : DriverPair
{
    private readonly TemporaryDirectory _directory = new();
    private readonly SharedMemoryServerDriver _server;
    private readonly SharedMemoryClientDriver _client;

    public SharedMemoryPair(SharedMemoryOptions? options = null)
    {
        Path = _directory.File("silo.sock");
        _server = SharedMemoryServerDriver.Listen(Path, options);
        _client = Join();
    }

    public string Path { get; }

    public override IDriver Client => _client;

    public override IDriver Server => _server;

    public SharedMemoryServerDriver Silo => _server;

    public override PeerAddress ServerAddress => SharedMemoryClientDriver.Silo;

    /// <summary>Connects one more client, with the server polled meanwhile as its owner would.</summary>
    public SharedMemoryClientDriver Join()
    {
        Task<SharedMemoryClientDriver> connecting = Task.Run(() => SharedMemoryClientDriver.Connect(Path, 10_000));
        var rx = new RxFrame[1];
        while (!connecting.IsCompleted)
        {
            if (_server.Receive(rx) != 0) Assert.Fail("A frame came out of nowhere.");
            Thread.Yield();
        }

        return connecting.GetAwaiter().GetResult();
    }

    /// <summary>
    /// Polls a silo's end, whose sockets it looks at each time, until something holds; false after a minute. Frames that arrive are thrown away. It gives its CPU away but never sleeps: a sleep for each of the
    /// receives between two looks would add up to seconds.
    /// </summary>
    public static bool Poll(SharedMemoryServerDriver server, Func<bool> holds)
    {
        var rx = new RxFrame[8];
        long start = Stopwatch.GetTimestamp();
        while (!holds())
        {
            if (Stopwatch.GetElapsedTime(start) > TimeSpan.FromMinutes(1)) return false;
            server.Receive(rx);
            server.Release();
            server.FinishWait();
            Thread.Yield();
        }
        return true;
    }

    public override void KillServer() => _server.Dispose();

    public override void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _directory.Dispose();
    }
}

public sealed class SharedMemoryConformance : DriverConformance
{
    protected override DriverPair Create() => new SharedMemoryPair();
}

public sealed class SharedMemoryTinyRingConformance : DriverConformance
{
    protected override DriverPair Create() => new SharedMemoryPair(new SharedMemoryOptions { RingEntries = 64 });
}
