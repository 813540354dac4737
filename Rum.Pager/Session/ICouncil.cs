using Rum.Core;
using Rum.Core.Council;

namespace Rum.Pager.Session;

/// <summary>The council as the rest of the client sees it: commands of this process's session, one after the other per calling thread.</summary>
internal interface ICouncil
{
    /// <summary>This process's session.</summary>
    SessionId Session { get; }

    /// <summary>The newest view known.</summary>
    ClusterView View { get; }

    /// <summary>
    /// Has a command decided and returns its result, which is never Pending: that is asked again for a while. Blocks the calling thread. Throws
    /// <see cref="RumException"/> when the council can't be reached or the session ended.
    /// </summary>
    Result Execute(Command command);
}
