using Microsoft.Extensions.Logging;
using Rum.Core;

namespace Rum.Diagnostics;

/// <summary>What a client logs. The event ids are stable: 7000-7099.</summary>
internal static partial class RumClientLog
{
    [LoggerMessage(7000, LogLevel.Information, "Connected to {Machines}.")]
    internal static partial void Connected(ILogger logger, string machines);

    [LoggerMessage(7001, LogLevel.Error, "Connecting failed: {Cause}")]
    internal static partial void ConnectFailed(ILogger logger, string cause);

    [LoggerMessage(7002, LogLevel.Critical, "The silos ended the session: its lease ran out. Anonymous memory is freed, pages are unmapped.")]
    internal static partial void SessionLost(ILogger logger);

    [LoggerMessage(7003, LogLevel.Information, "Disconnected.")]
    internal static partial void Disposed(ILogger logger);

    [LoggerMessage(7010, LogLevel.Debug, "Allocated {Bytes} bytes as segment {Id}.")]
    internal static partial void Allocated(ILogger logger, long bytes, ulong id);

    [LoggerMessage(7011, LogLevel.Debug, "Opened {Key} for {Access} as segment {Id}.")]
    internal static partial void Opened(ILogger logger, SegmentKey key, RumAccess access, ulong id);
}
