using Rum.Core;

namespace Rum.FastPath.Drivers.Simulated;

/// <summary>Settings of a <see cref="SimulatedNetwork"/>.</summary>
public sealed record SimulatedNetworkOptions
{
    /// <summary>Payload bytes per frame, at most a page.</summary>
    public int MaxPayload { get; init; } = Layout.PageSize;

    /// <summary>Whether payloads arrive in lent buffers, as with UDP, or in the driver's memory, as with shared memory.</summary>
    public bool UsesLanding { get; init; } = true;

    /// <summary>What links do unless <see cref="SimulatedNetwork.SetLink"/> says otherwise.</summary>
    public LinkSettings Link { get; init; } = LinkSettings.Perfect;

    /// <summary>Frames that may be on their way from one end point before <see cref="IDriver.Send"/> pushes back.</summary>
    public int InFlightMax { get; init; } = 1024;

    /// <summary>Frames that wait at an end point before more are dropped, like a full socket buffer.</summary>
    public int InboxMax { get; init; } = 1024;
}
