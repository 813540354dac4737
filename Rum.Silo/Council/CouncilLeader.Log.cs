using Microsoft.Extensions.Logging;

namespace Rum.Silo.Council;

/// <content>What it logs.</content>
public sealed partial class CouncilLeader
{
    [LoggerMessage(100, LogLevel.Information, "council of cluster {Cluster}, generation {Generation}: recovered to decree {Decree}, {Sessions} sessions")]
    private partial void LogRecovered(Guid cluster, uint generation, ulong decree, int sessions);

    [LoggerMessage(101, LogLevel.Information, "session {Session} opened by {Client}, lease {LeaseMs} ms")]
    private partial void LogSessionOpened(ulong session, string client, int leaseMs);

    [LoggerMessage(102, LogLevel.Information, "session {Session} closed")]
    private partial void LogSessionClosed(ulong session);

    [LoggerMessage(103, LogLevel.Warning, "session {Session} expired: no heartbeat for its whole lease; its anonymous memory is freed")]
    private partial void LogSessionExpired(ulong session);

    [LoggerMessage(104, LogLevel.Information, "silo {Name} joined as silo {Id}, incarnation {Incarnation}")]
    private partial void LogJoined(string name, ushort id, string incarnation);

    [LoggerMessage(105, LogLevel.Information, "silo {Id} left")]
    private partial void LogLeft(ushort id);

    [LoggerMessage(107, LogLevel.Warning, "silo {Name} is silent; what it stores can't be had until it is heard again")]
    private partial void LogSilent(string name);

    [LoggerMessage(120, LogLevel.Information, "silo {Name} is doubted by others: it is listened to more closely")]
    private partial void LogDoubted(string name);

    [LoggerMessage(119, LogLevel.Warning, "silo {Name} is taken for dead: the other copies of what it stores go on without it")]
    private partial void LogSuspected(string name);

    [LoggerMessage(108, LogLevel.Information, "silo {Name} is heard again")]
    private partial void LogHeardAgain(string name);

    [LoggerMessage(109, LogLevel.Information, "leads the council from decree {Decree} on, round {Round}; {Sessions} sessions have a full lease")]
    private partial void LogLeads(ulong decree, ulong round, int sessions);

    [LoggerMessage(110, LogLevel.Information, "leads the council no more, after decree {Decree}")]
    private partial void LogLeadsNoMore(ulong decree);

    [LoggerMessage(111, LogLevel.Information, "proposes a council of {Silos}")]
    private partial void LogCouncil(string silos);

    [LoggerMessage(106, LogLevel.Critical, "the council has failed and decides nothing any more")]
    private partial void LogFailed(Exception defect);
}
