using Microsoft.Extensions.Logging;

namespace Rum.Grains.Hosting;

/// <summary>
/// A silo's loggers for what Orleans and its libraries have to say: errors only, because each join and each silo that leaves is pages of warnings to them. At the
/// level debug everything is let through.
/// </summary>
internal sealed class QuietLoggers(ILoggerFactory inner) : ILoggerFactory
{
    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName)
    {
        ILogger logger = inner.CreateLogger(categoryName);
        return categoryName.StartsWith("Rum.", StringComparison.Ordinal) ? logger : new Quiet(logger);
    }

    /// <inheritdoc/>
    public void AddProvider(ILoggerProvider provider)
    {
        // Orleans' dashboard adds one that shows the log; the silo's own lines are elsewhere.
        provider.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The silo's loggers outlive an Orleans host.
    }

    private sealed class Quiet(ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => (logLevel >= LogLevel.Error || inner.IsEnabled(LogLevel.Debug)) && inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) inner.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
