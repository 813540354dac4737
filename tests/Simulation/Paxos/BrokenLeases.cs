namespace Rum.Simulation.Paxos;

/// <summary>What a leader may do wrong about leases.</summary>
internal enum BrokenLeases
{
    None,

    /// <summary>A timer per session that no renewal stops.</summary>
    UnconditionalTimer,

    /// <summary>A new leader takes a session that nobody renewed with it for one that is over.</summary>
    NewLeaderGrantsNothing,

    /// <summary>A heartbeat is answered without asking whether this still is the leader.</summary>
    AnswersUnconfirmed,

    /// <summary>A heartbeat is answered while the session's expiry is being decided.</summary>
    AnswersWhileExpiring,
}
