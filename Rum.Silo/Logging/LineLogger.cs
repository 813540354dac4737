using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Rum.Silo.Logging;

/// <summary>Writes each message as one short line, or one JSON object, to a writer (stderr). Thread-safe; a line is never torn.</summary>
public sealed class LineLoggerProvider(TextWriter to, LogLevel minimum, bool json, TimeProvider clock) : ILoggerProvider
{
    private readonly Lock _gate = new();

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new LineLogger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose() => to.Flush();

    private void Write(LogLevel level, string category, EventId id, string message, Exception? exception)
    {
        string line = json ? Json(level, category, id, message, exception) : Text(level, message, exception);
        lock (_gate)
        {
            to.WriteLine(line);
            to.Flush();
        }
    }

    private string Text(LogLevel level, string message, Exception? exception)
    {
        string time = clock.GetUtcNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
        string tail = exception is null ? "" : $": {exception.Message}";
        return $"{time} {Name(level),-5} {message}{tail}".ReplaceLineEndings(" ");
    }

    private string Json(LogLevel level, string category, EventId id, string message, Exception? exception)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            writer.WriteString("time", clock.GetUtcNow());
            writer.WriteString("level", Name(level));
            writer.WriteString("category", category);
            if (id.Name is not null) writer.WriteString("event", id.Name);
            writer.WriteString("message", message);
            if (exception is not null) writer.WriteString("exception", exception.ToString());
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Critical or LogLevel.Error => "error",
        LogLevel.Warning => "warn",
        LogLevel.Information => "info",
        _ => "debug",
    };

    private sealed class LineLogger(LineLoggerProvider owner, string category) : ILogger
    {
        // The web server's own messages are of interest only when something is wrong with it.
        private readonly LogLevel _minimum = category.StartsWith("Microsoft.", StringComparison.Ordinal) ? Max(owner.Minimum, LogLevel.Warning) : owner.Minimum;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= _minimum && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) owner.Write(logLevel, category, eventId, formatter(state, exception), exception);
        }

        private static LogLevel Max(LogLevel a, LogLevel b) => a > b ? a : b;
    }

    private LogLevel Minimum { get; } = minimum;
}
