namespace Rum.Pager;

/// <summary>Who resolves a fault (<c>RUM_FAULT</c>).</summary>
public enum FaultMode
{
    /// <summary>The pager thread. System calls on remote memory work.</summary>
    Handler,

    /// <summary>
    /// The faulting thread, out of SIGBUS: fewer switches, and no privilege needed. System calls on remote memory that isn't resident (pinned) fail with
    /// EFAULT. Only inside librum.so.
    /// </summary>
    Inline,
}
