using Rum.Core.Council;

namespace Rum.Silo.Council;

/// <summary>The council, wherever it is. Thread-safe.</summary>
public interface ICouncil
{
    /// <summary>
    /// Asks and returns the answer, whatever it says. Throws <see cref="CouncilUnreachableException"/> when none came in time.
    /// </summary>
    Task<CouncilAnswer> AskAsync(CouncilRequest request, CancellationToken cancellation);

    /// <summary>
    /// Whether the leader is in this very process now: it knows without heartbeats that this process's silo lives. Where this can end, the silo must be
    /// given a reason to beat at once (<see cref="Control.Membership.News"/>).
    /// </summary>
    bool LeadsHere => false;
}

/// <summary>No answer from the council: the message names the address that was tried.</summary>
public sealed class CouncilUnreachableException(string message, Exception? inner = null) : IOException(message, inner);
