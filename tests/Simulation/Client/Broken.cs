using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.Pager.Paging;

namespace Rum.Simulation.Client;

/// <summary>Where defects are put in, from outside: around drivers, around what the engine stands on, or the engine's own switch for stress tests.</summary>
internal sealed record Broken
{
    public static readonly Broken Nothing = new();

    public Func<IDriver, IDriver>? Silo { get; init; }

    public Func<IDriver, IDriver>? Client { get; init; }

    public Func<SimulatedProcess, (IPageMapper Mapper, IPageChannel Channel)>? Pager { get; init; }

    public PagerDefect Defect { get; init; }

    /// <summary>Clients use what the council gave them before they have the view that it belongs to.</summary>
    public bool MapsBeforeView { get; init; }

    /// <summary>The council gives views also to sessions that have ended.</summary>
    public bool ViewsForTheEnded { get; init; }

    /// <summary>Silos don't ask which of their segments were freed.</summary>
    public bool NeverAudits { get; init; }

    /// <summary>Silos don't ask which of their extents lie behind the ends of segments.</summary>
    public bool NeverAuditsExtents { get; init; }

    /// <summary>Whether the defect needs frames that hold a whole page.</summary>
    public bool WholePages { get; init; }
}
