using System.Diagnostics;
using System.Runtime.CompilerServices;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.SharedMemory;

/// <summary>This test program run a second time as a client process, that can be killed.</summary>
internal static class ChildProcess
{
    private const string Variable = "RUM_TRANSPORT_TEST_CLIENT";

    /// <summary>Starts a client that connects to a path and sends frames until it is killed.</summary>
    public static Process Start(string path)
    {
        string host = Path.Combine(AppContext.BaseDirectory, "Rum.Transport.Tests");
        var info = new ProcessStartInfo(host) { RedirectStandardOutput = true };
        info.Environment[Variable] = path;
        return Process.Start(info)!;
    }

#pragma warning disable CA2255 // A test program may act before its runner does.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void BecomeClient()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } path) return;
        using SharedMemoryClientDriver driver = SharedMemoryClientDriver.Connect(path, 10_000);
        using var frames = new TestFrames(8);
        var rx = new RxFrame[8];
        for (uint round = 0; !driver.Disconnected; round++)
        {
            for (int i = 0; i < frames.Count; i++) frames.Fill(i, SharedMemoryClientDriver.Silo, round, 4096);
            driver.Send(frames.Tx);
            driver.Receive(rx);
            driver.Release();
        }

        Environment.Exit(0);
    }
}
