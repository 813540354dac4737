using System.Diagnostics;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Linux;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.SharedMemory;

public sealed class ConnectionTests
{
    private const int BoundMs = 20_000;

    [Fact]
    public void A_killed_client_is_noticed_and_its_place_freed()
    {
        using var pair = new SharedMemoryPair();
        var rx = new RxFrame[32];
        for (int round = 0; round < 2; round++)
        {
            using Process child = ChildProcess.Start(pair.Path);
            long before = pair.Silo.Counters.FramesReceived;
            Pump(pair.Silo, rx, () => pair.Silo.Counters.FramesReceived > before + 1000, "the child's frames arrived");
            Assert.Equal(2, pair.Silo.Connections);
            child.Kill();
            Pump(pair.Silo, rx, () => pair.Silo.Connections == 1, "the killed child's connection was closed");
            child.WaitForExit();
        }

        Assert.Equal((3, 2, 0, 0), (
            pair.Silo.ConnectionCounters.Opened, pair.Silo.ConnectionCounters.Closed, pair.Silo.ConnectionCounters.Refused,
            pair.Silo.ConnectionCounters.Violations));
    }

    [Fact]
    public void A_sleeping_server_is_woken_by_the_death_of_a_client()
    {
        using var pair = new SharedMemoryPair();
        Assert.True(pair.Silo.PrepareWait());
        pair.Client.Dispose();
        Assert.Equal(1, Polling.WaitReadable([pair.Silo.WaitDescriptor], 20_000_000_000));
        pair.Silo.FinishWait();
        Assert.Equal(0, pair.Silo.Connections);
    }

    [Fact]
    public async Task A_sleeping_server_is_woken_by_a_new_client()
    {
        using var pair = new SharedMemoryPair();
        Assert.True(pair.Silo.PrepareWait());
        Task<SharedMemoryClientDriver> joining = Task.Run(() => SharedMemoryClientDriver.Connect(pair.Path, 10_000));
        Assert.Equal(1, Polling.WaitReadable([pair.Silo.WaitDescriptor], 20_000_000_000));
        pair.Silo.FinishWait();
        Assert.Equal(2, pair.Silo.Connections);
        (await joining).Dispose();
    }

    [Fact]
    public void A_client_learns_that_its_silo_died_and_sleeps_on_quietly()
    {
        using var pair = new SharedMemoryPair();
        var client = (SharedMemoryClientDriver)pair.Client;
        Assert.True(client.PrepareWait());
        pair.Silo.Dispose();
        Assert.Equal(1, Polling.WaitReadable([client.WaitDescriptor], 20_000_000_000));
        client.FinishWait();
        Assert.True(client.Disconnected);
        Assert.True(client.PrepareWait());
        Assert.Equal(0, Polling.WaitReadable([client.WaitDescriptor], 0));
        client.FinishWait();
    }

    [Fact]
    public void An_answer_to_a_client_that_left_never_reaches_the_next_one()
    {
        using var pair = new SharedMemoryPair();
        using var frames = new TestFrames(1);
        var rx = new RxFrame[4];
        SharedMemoryClientDriver first = pair.Join();
        frames.Fill(0, default, 1, 0);
        Assert.Equal(1, first.Send(frames.Tx));
        PeerAddress peer = default;
        Pump(pair.Silo, rx, () => false, "the request arrived", count =>
        {
            peer = rx[0].Peer;
            return count == 1;
        });
        first.Dispose();
        Pump(pair.Silo, rx, () => pair.Silo.Connections == 1, "the first client was gone");
        using SharedMemoryClientDriver second = pair.Join();
        frames.Fill(0, peer, 2, 64);
        Assert.Equal(1, pair.Silo.Send(frames.Tx));
        Assert.Equal(0, second.Receive(rx));
    }

    [Fact]
    public void No_more_clients_than_allowed_are_served()
    {
        using var pair = new SharedMemoryPair(new SharedMemoryOptions { ConnectionsMax = 1 });
        IOException refused = Assert.Throws<IOException>(() => pair.Join());
        Assert.Contains("as many clients as it may", refused.Message);
        Assert.Equal(1, pair.Silo.ConnectionCounters.Refused);
    }

    [Fact]
    public void A_stale_socket_is_replaced_and_one_in_use_is_not()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.File("silo.sock");
        LeaveSocket(path);
        Assert.True(File.Exists(path));
        using (SharedMemoryServerDriver.Listen(path))
        {
            IOException refused = Assert.Throws<IOException>(() => SharedMemoryServerDriver.Listen(path));
            Assert.Contains("Another silo serves", refused.Message);
        }

        Assert.False(File.Exists(path));
        SharedMemoryServerDriver.Listen(path).Dispose();
    }

    [Fact]
    public void A_directory_open_to_others_is_refused_and_a_new_one_is_private()
    {
        using var directory = new TemporaryDirectory();
        string own = directory.File("new");
        SharedMemoryServerDriver.Listen(Path.Combine(own, "silo.sock")).Dispose();
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(own));
        File.SetUnixFileMode(own, OwnerOnly | UnixFileMode.OtherExecute);
        IOException refused = Assert.Throws<IOException>(() => SharedMemoryServerDriver.Listen(Path.Combine(own, "silo.sock")));
        Assert.Contains("chmod 700", refused.Message);
    }

    [Fact]
    public void An_ordinary_file_in_the_way_is_left_alone()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.File("silo.sock");
        File.WriteAllText(path, "precious");
        Assert.Throws<IOException>(() => SharedMemoryServerDriver.Listen(path));
        Assert.Equal("precious", File.ReadAllText(path));
    }

    [Fact]
    public void Nobody_listening_is_said_with_the_path()
    {
        using var directory = new TemporaryDirectory();
        ErrnoException missing = Assert.Throws<ErrnoException>(() => SharedMemoryClientDriver.Connect(directory.File("nobody.sock")));
        Assert.Equal(("connect", Errno.ENOENT), (missing.Call, missing.Number));
        Assert.Contains("nobody.sock", missing.Message);
    }

    /// <summary>What a silo leaves that was killed: its socket in the file system and nobody behind it.</summary>
    private static unsafe void LeaveSocket(string path)
    {
        using var socket = new FileDescriptor(Sockets.socket(Sockets.AF_UNIX, Sockets.SOCK_STREAM, 0), "socket");
        uint length = UnixSocket.WriteAddress(path, out sockaddr_un name);
        ErrnoException.Check(Sockets.bind(socket.Value, &name, length), "bind");
    }

    private static void Pump(SharedMemoryServerDriver silo, RxFrame[] rx, Func<bool> reached, string transition, Func<int, bool>? seen = null)
    {
        bool done = SpinWait.SpinUntil(
            () =>
            {
                int count = silo.Receive(rx);
                bool enough = seen is not null && seen(count);
                silo.Release();
                return enough || reached();
            },
            BoundMs);
        Assert.True(done, $"Within {BoundMs} ms it did not happen that {transition}.");
    }
}
