namespace Rum;

/// <summary>Who resolves the fault of a plain load or store.</summary>
public enum RumFaults
{
    /// <summary>A thread of the library; system calls may be given remote memory.</summary>
    Handler = 1,

    /// <summary>
    /// The faulting thread itself: faster, and without any privilege. A system call that is given remote memory which isn't pinned fails with EFAULT.
    /// </summary>
    Inline = 2,
}
