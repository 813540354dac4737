using Microsoft.Extensions.Logging;
using Rum.Silo.Configuration;

namespace Rum.Cli.Planes;

/// <summary>
/// The planes that this build has. Orleans' part of this class is in a folder that is only compiled where its packages restore; a partial method without a
/// body is no call.
/// </summary>
internal static partial class PlaneCatalog
{
    /// <summary>Whether Orleans is built in.</summary>
    public static bool HasOrleans
    {
        get
        {
            Func<SiloSettings, ILoggerFactory, IPlane>? make = null;
            FindOrleans(ref make);
            return make is not null;
        }
    }

    /// <summary>The plane of a silo's settings.</summary>
    public static IPlane Make(SiloSettings settings, ILoggerFactory loggers)
    {
        if (settings.Plane == SiloPlane.Static) return new StaticPlane();
        Func<SiloSettings, ILoggerFactory, IPlane>? make = null;
        FindOrleans(ref make);
        return make?.Invoke(settings, loggers) ?? throw new CommandFailedException(
            ExitCode.Usage, "plane: orleans is not in this build: its packages could not be restored then. Build where they can, or use --plane static");
    }

    static partial void FindOrleans(ref Func<SiloSettings, ILoggerFactory, IPlane>? make);
}
