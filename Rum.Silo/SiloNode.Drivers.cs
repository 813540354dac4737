using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Dpdk;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Drivers.Udp;
using Rum.FastPath.Server;
using Microsoft.Extensions.Logging;
using Rum.Silo.Configuration;

namespace Rum.Silo;

/// <content>The drivers.</content>
public sealed partial class SiloNode
{
    // UDP is always there: it carries the control plane.
    private List<IDriver> BindDrivers()
    {
        var drivers = new List<IDriver>();
        try
        {
            drivers.Add(UdpDriver.Bind(_settings.Self));
        }
        catch (IOException e)
        {
            throw new SiloStartException(
                $"UDP address {_settings.Self} can't be used: {e.Message}. Is another silo running there? See: ss -ulpn 'sport = :{_settings.Self.Port}'", e);
        }
        if (_settings.Dpdk is { } dpdk) AddDpdk(drivers, dpdk);
        if (!_settings.SharedMemory) return drivers;
        try
        {
            drivers.Add(SharedMemoryServerDriver.Listen(_settings.SharedMemoryPath));
        }
        catch (IOException e) when (_settings.Transport == SiloTransport.Auto)
        {
            LogNoSharedMemory(e.Message);
        }
        catch (IOException e)
        {
            drivers[0].Dispose();
            throw new SiloStartException($"shared memory (transport shm) is not possible: {e.Message}", e);
        }
        return drivers;
    }

    private bool OffersMemory() => _settings.DirectReads && _settings.Memory > 0 && _drivers.OfType<SharedMemoryServerDriver>().Any();

    private void Offer(PagePool pool)
    {
        if (pool.WhyNoWindow is { } why) LogNoWindow(why);
        if (pool.Window is null) return;
        foreach (SharedMemoryServerDriver driver in _drivers.OfType<SharedMemoryServerDriver>()) driver.Window = pool.Window.ReadOnlyDescriptor;
    }

    // A driver for each port, so that a client that takes nothing holds up nobody else's.
    private void AddDpdk(List<IDriver> drivers, DpdkOptions options)
    {
        try
        {
            Eal.Start(options.Eal);
            ushort[] ports = Eal.Ports();
            if (ports.Length == 0) throw new DpdkException("DPDK has no port: name a device (--vdev=...) or bind a card to vfio-pci. See 'rum dpdk check'.");
            foreach (ushort port in ports)
            {
                DpdkDriver driver = DpdkDriver.Open(DpdkPort.Look(port), options);
                drivers.Add(driver);
                LogDpdkPort(driver.Port.Name, DpdkPeer.Format(driver.Address), driver.Traits.MaxPayload, driver.WaitDescriptor < 0 ? "polls" : "waits");
            }
        }
        catch (IOException e)
        {
            foreach (IDriver driver in drivers) driver.Dispose();
            throw new SiloStartException(e.Message, e);
        }
    }

    // The thread that polls a card belongs on the card's node.
    private int ChooseCpu()
    {
        foreach (IDriver driver in _drivers)
        {
            if (driver is DpdkDriver { Port.Socket: >= 0 } dpdk)
                return NumaTopology.Read().CpuFor(dpdk.Port.Socket, _settings.Cpu, Rum.FastPath.Linux.Scheduling.AllowedCpus());
        }
        return _settings.Cpu;
    }

    // What clients that don't find the silo by asking go by: a port on a network before one to a single peer.
    private string PublishedMac()
    {
        DpdkDriver[] ports = [.. _drivers.OfType<DpdkDriver>()];
        DpdkDriver? best = Array.Find(ports, p => MacAddress.Format(p.Port.Mac) == _settings.Mac) ?? Array.Find(ports, p => !p.Port.InMemory) ?? ports.FirstOrDefault();
        return best is null ? _settings.Mac : DpdkPeer.Format(best.Address);
    }

    [LoggerMessage(14, LogLevel.Warning, "No direct reads, pages are read by messages: {Why}")]
    private partial void LogNoWindow(string why);

    [LoggerMessage(8, LogLevel.Information, "DPDK port {Port} at {Address}, {Payload} bytes of a page in a frame, {Waiting}")]
    private partial void LogDpdkPort(string port, string address, int payload, string waiting);
}
