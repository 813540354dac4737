using System.Net;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Drivers.Udp;
using Rum.Pages.Bench;

// The page client against the page server's thread: what reads and writes cost above the bare driver. One JSON object a line.
// usage: [shm|udp] [split|one]   split: client and server on a CPU each; one: both on the first CPU
string kind = args.Length > 0 ? args[0] : "shm";
string layout = args.Length > 1 ? args[1] : "split";
DirectoryInfo directory = Directory.CreateTempSubdirectory("rum-bench-");
try
{
    IDriver server;
    IDriver client;
    PeerAddress address;
    if (kind == "udp")
    {
        UdpDriver udp = UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        (server, client, address) = (udp, UdpDriver.Toward([udp.LocalEndPoint]), UdpPeer.From(udp.LocalEndPoint));
        using var run = new PageRounds(server, () => client, address, layout, kind);
        run.MeasureAll();
    }
    else
    {
        string path = Path.Combine(directory.FullName, "silo.sock");
        server = SharedMemoryServerDriver.Listen(path);
        using var run = new PageRounds(server, () => SharedMemoryClientDriver.Connect(path), SharedMemoryClientDriver.Silo, layout, kind);
        run.MeasureAll();
    }
}
finally
{
    directory.Delete(recursive: true);
}
