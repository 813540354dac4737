using System.Net.Sockets;
using Rum.Cli;
using Rum.FastPath.Drivers.Dpdk;
using Rum.Tests;
using Rum.Transport.Tests.SharedMemory;

namespace Rum.Transport.Tests.Dpdk;

/// <summary>DPDK in this process, without huge pages, and wires for it. A test that can't have it is skipped, and says why.</summary>
internal static class DpdkBed
{
    private static readonly Lock Gate = new();
    private static string? _why;
    private static NetworkNamespace? _namespace;
    private static DpdkDriver? _bell;
    private static string _bellSocket = "";
    private static TemporaryDirectory? _sockets;
    private static int _number;

    /// <summary>Starts DPDK, or skips the test.</summary>
    public static void Need()
    {
        lock (Gate)
        {
            if (_why is null)
            {
                try
                {
                    Eal.Start(["--no-huge", "-m", "512", "--no-pci"]);
                    _why = "";
                }
                catch (DpdkException e)
                {
                    _why = e.Message;
                }
            }
        }
        if (_why.Length > 0) Assert.Skip(_why);
    }

    /// <summary>A number that no other device of this process has.</summary>
    public static int Next() => Interlocked.Increment(ref _number);

    /// <summary>
    /// Lets DPDK look at a vhost socket that was just made: its thread takes it in when its poll ends, which is a second later unless another socket is connected to.
    /// </summary>
    public static void Ring()
    {
        lock (Gate)
        {
            if (_bell is null)
            {
                _bellSocket = Socket("bell");
                _bell = DpdkDriver.Attach($"net_vhost{Next()},iface={_bellSocket},queues=1", DpdkOptions.Parse(""));
            }
            using var caller = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            caller.Connect(new UnixDomainSocketEndPoint(_bellSocket));
        }
    }

    /// <summary>The path of a new socket. All go with this process, also when it is killed.</summary>
    public static string Socket(string name)
    {
        lock (Gate)
        {
            if (_sockets is null)
            {
                _sockets = new TemporaryDirectory();
                var keeper = new Keeper("rm -rf \"$1\"", _sockets.Path);
                AppDomain.CurrentDomain.ProcessExit += (_, _) =>
                {
                    keeper.Dispose();
                    _sockets.Dispose();
                };
            }
            return _sockets.File($"{name}{Next()}.sock");
        }
    }

    /// <summary>A new wire in the tests' namespace, or skips the test.</summary>
    public static (NetworkNamespace Namespace, string One, string Other) Wire(int mtu)
    {
        string why = "";
        lock (Gate) _namespace ??= NetworkNamespace.TryCreate(out why);
        if (_namespace is null) Assert.Skip(why);
        int number = Next();
        (string one, string other) = ($"rw{number}a", $"rw{number}b");
        if (!_namespace.TryAddWire(one, other, mtu, out why)) Assert.Skip(why);
        return (_namespace, one, other);
    }
}
