using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Drivers;

namespace Rum.FastPath.Client;

/// <summary>A way to one life of a silo. One driver may serve many (UDP) or one (shared memory).</summary>
/// <param name="Incarnation">The life of the silo; requests carry it and answers must.</param>
/// <param name="Driver">The driver; the page client's to use from then on.</param>
/// <param name="Peer">The silo's address in the driver's terms.</param>
public sealed record SiloRoute(Incarnation Incarnation, IDriver Driver, PeerAddress Peer);

/// <summary>
/// A cluster view and a way to each silo that could be reached: made by the control thread (which may take its time to connect), handed to
/// <see cref="PageClient.SetRoutes"/>. Immutable. Pages of silos without a route wait.
/// </summary>
/// <param name="Map">The view, laid out.</param>
/// <param name="Silos">Routes by incarnation, in any order.</param>
public sealed record ClientRoutes(ShardMap Map, IReadOnlyList<SiloRoute> Silos);
