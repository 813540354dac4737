using Microsoft.Extensions.Logging;
using Rum.Silo;
using Rum.Silo.Control;

namespace Rum.Cli.Planes;

/// <summary>What a silo has beside it to carry the commands of programs.</summary>
internal interface IPlane : IAsyncDisposable
{
    /// <summary>The carrier, null where commands go straight to the council.</summary>
    IRequestCarrier? Carrier { get; }

    /// <summary>Runs beside a silo until stopped.</summary>
    Task RunAsync(SiloNode node, ILoggerFactory loggers, CancellationToken stop);
}
