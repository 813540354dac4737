using Rum.FastPath.Drivers.Dpdk;
using Rum.Tests;

namespace Rum.Transport.Tests.Dpdk;

/// <summary>DPDK in this process, without huge pages, and wires for it. A test that can't have it is skipped, and says why.</summary>
internal static class DpdkBed
{
    private static readonly Lock Gate = new();
    private static string? _why;
    private static NetworkNamespace? _namespace;
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
