using Orleans.CodeGeneration;

namespace Rum.Grains;

/// <summary>The cluster; key 0. Every silo answers by itself from the council, so a call never leaves the silo that it reaches.</summary>
[Alias("rum.IClusterGrain")]
[Version(1)]
public interface IClusterGrain : IGrainWithIntegerKey
{
    /// <summary>Its silos.</summary>
    [Alias("Members")]
    Task<ClusterMembers> MembersAsync();

    /// <summary>What is offered and what is charged.</summary>
    [Alias("Capacity")]
    Task<ClusterCapacity> CapacityAsync();

    /// <summary>
    /// Renews the leases of all sessions that one silo heard of in an interval. The counters stand in their order, 0 for a session that has ended.
    /// </summary>
    [Alias("Renew")]
    Task<RenewReply> RenewAsync(ulong[] sessions);

    /// <summary>The key of a segment, zero for anonymous memory; Error NotFound when there is none.</summary>
    [Alias("KeyOf")]
    Task<KeyReply> KeyOfAsync(ulong segment);

    /// <summary>Empties a silo: its pages move to the others while they are used. It leaves, and its process ends, when nothing is there any more.</summary>
    [Alias("Drain")]
    Task<GrainReply> DrainAsync(ushort silo);
}
