using System.Diagnostics;

namespace Rum.Diagnostics;

/// <summary>One call of the control plane as an activity and a duration; a branch each when nobody listens.</summary>
internal sealed class RumOperation : IDisposable
{
    private readonly string _name;
    private readonly Activity? _activity;
    private readonly long _start = Stopwatch.GetTimestamp();
    private string? _error;

    private RumOperation(string name)
    {
        _name = name;
        _activity = RumClientMetrics.Activities.StartActivity("rum." + name, ActivityKind.Client);
    }

    internal static RumOperation Start(string name) => new(name);

    /// <summary>Notes a failure; always false, so that it can stand in an exception filter.</summary>
    internal bool Failed(Exception failure)
    {
        _error = failure is RumException { Error: var error } ? error.ToString() : failure.GetType().Name;
        _activity?.SetStatus(ActivityStatusCode.Error, failure.Message);
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (RumClientMetrics.Duration.Enabled)
        {
            TagList tags = new() { { "operation", _name } };
            if (_error is not null) tags.Add("error.type", _error);
            RumClientMetrics.Duration.Record(Stopwatch.GetElapsedTime(_start).TotalSeconds, tags);
        }

        _activity?.Dispose();
    }
}
