using Microsoft.Extensions.Logging;
using Rum.Silo.Configuration;

namespace Rum.Cli.Planes;

/// <content>Orleans is built in.</content>
internal static partial class PlaneCatalog
{
    static partial void FindOrleans(ref Func<SiloSettings, ILoggerFactory, IPlane>? make) => make = (settings, loggers) => new OrleansPlane(settings, loggers);
}
