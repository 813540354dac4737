using System.Net;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Drivers.Udp;
using Rum.Transport.Bench;

// Round trips of the drivers alone: a header out, a 4 KiB page back, copied into one of the client's slots. One JSON object a line.
// usage: [shm|udp] [split|one]   split: client and server on a CPU each, both spinning; one: both on the first CPU
string kind = args.Length > 0 ? args[0] : "shm";
DirectoryInfo? directory = null;
string layout = args.Length > 1 ? args[1] : "split";
foreach (int outstanding in (int[])[1, 32])
{
    using IDriver server = OpenServer(out Func<IDriver> connect);
    var run = new RoundTrips(server, connect, layout);
    Console.WriteLine(run.Measure($"rtt.{kind}.{outstanding}", outstanding));
}

directory?.Delete(recursive: true);
return 0;

IDriver OpenServer(out Func<IDriver> connect)
{
    switch (kind)
    {
        case "udp":
            UdpDriver udp = UdpDriver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            connect = () => UdpDriver.Toward([udp.LocalEndPoint]);
            RoundTrips.ServerAddress = UdpPeer.From(udp.LocalEndPoint);
            return udp;
        case "shm":
            directory ??= Directory.CreateTempSubdirectory("rum-bench-");
            string path = Path.Combine(directory.FullName, "silo.sock");
            connect = () => SharedMemoryClientDriver.Connect(path);
            return SharedMemoryServerDriver.Listen(path);
        default:
            throw new ArgumentException($"There is no driver '{kind}'; there are shm and udp.");
    }
}
