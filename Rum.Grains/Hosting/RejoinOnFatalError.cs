using Microsoft.Extensions.Logging;

namespace Rum.Grains.Hosting;

/// <summary>
/// What Orleans tells of errors after which a silo can't go on: declared dead by the others, or a table that it can't read. Its default ends the process,
/// and with it every page that the process stores; this one only says so, and who runs the host stops it and starts another.
/// </summary>
internal sealed partial class RejoinOnFatalError(ILogger<RejoinOnFatalError> log) : IFatalErrorHandler
{
    private readonly TaskCompletionSource<string> _fatal = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends with the cause of the first fatal error.</summary>
    public Task<string> Fatal => _fatal.Task;

    /// <inheritdoc/>
    public bool IsUnexpected(Exception exception) => exception is not ThreadAbortException;

    /// <inheritdoc/>
    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        string cause = exception?.Message ?? context ?? "no cause was given";
        if (_fatal.TrySetResult(cause)) LogFatal(cause);
    }

    [LoggerMessage(330, LogLevel.Warning, "Orleans can't go on in this silo: {Cause}. Its host stops and rejoins; pages are served on")]
    private partial void LogFatal(string cause);
}
