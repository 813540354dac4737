using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.Transport.Tests.Conformance;

namespace Rum.Transport.Tests.Simulated;

internal sealed class SimulatedPair : DriverPair
{
    private readonly SimulatedNetwork _network;
    private readonly SimulatedDriver _server, _client;

    public SimulatedPair(SimulatedNetworkOptions? options = null)
    {
        _network = new SimulatedNetwork(1, options);
        _server = _network.CreateEndpoint();
        _client = _network.CreateEndpoint();
    }

    public override IDriver Client => _client;

    public override IDriver Server => _server;

    public override PeerAddress ServerAddress => _server.Address;

    public override void Flow() => _network.AdvanceTo(_network.NowNs + 1_000_000);

    public void Inject(int length) => _network.Inject(_client.Number, _server.Number, new byte[length]);

    public override void KillServer() => _server.Dispose();

    public override void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _network.Dispose();
    }
}

public sealed class SimulatedConformance : DatagramConformance
{
    protected override DriverPair Create() => new SimulatedPair();

    protected override void InjectGarbage(DriverPair pair, int length) => ((SimulatedPair)pair).Inject(length);
}

public sealed class SimulatedWithoutLandingConformance : DatagramConformance
{
    protected override DriverPair Create() => new SimulatedPair(new SimulatedNetworkOptions { UsesLanding = false, MaxPayload = 1344 });

    protected override void InjectGarbage(DriverPair pair, int length) => ((SimulatedPair)pair).Inject(length);
}
