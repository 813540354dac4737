using Orleans.CodeGeneration;

namespace Rum.Grains;

/// <summary>
/// A program's session. Its key is the session's number; before there is one, a door named by the nonce that the program drew (<see cref="GrainKeys"/>).
/// It watches the lease by a grain timer and proposes the session's end. The council's clock and renewal counter judge that proposal, so a second
/// activation that hears of nothing ends nobody.
/// </summary>
[Alias("rum.ISessionGrain")]
[Version(1)]
public interface ISessionGrain : IGrainWithStringKey
{
    /// <summary>Asked at a door: opens a session, or gives the one that this nonce has.</summary>
    [Alias("Open")]
    Task<SessionReply> OpenAsync(OpenSessionCall call);

    /// <summary>Watches the lease from now on, in milliseconds. Asked again it changes nothing.</summary>
    [Alias("Watch")]
    Task WatchAsync(int leaseMs);

    /// <summary>Renews the lease. Silos renew many at once by <see cref="IClusterGrain.RenewAsync"/>.</summary>
    [Alias("Heartbeat")]
    Task<GrainReply> HeartbeatAsync();

    /// <summary>Makes anonymous memory, which has no key yet and is the session's own.</summary>
    [Alias("Allocate")]
    Task<SegmentReply> AllocateAsync(CreateSegment call);

    /// <summary>The segments that it owns or writes.</summary>
    [Alias("Segments")]
    Task<OwnedSegments> SegmentsAsync();

    /// <summary>Ends it: its anonymous memory is freed.</summary>
    [Alias("Close")]
    Task<GrainReply> CloseAsync();
}
