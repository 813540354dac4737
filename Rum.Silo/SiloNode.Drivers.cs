using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.SharedMemory;
using Rum.FastPath.Drivers.Udp;
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
}
