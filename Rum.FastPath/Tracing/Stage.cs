namespace Rum.FastPath.Tracing;

/// <summary>The moments of a fault. The numbers stand in trace files; bench/fault.c writes the first and the last.</summary>
public enum Stage : byte
{
    /// <summary>No record.</summary>
    None,

    /// <summary>The program touches the page.</summary>
    Touched,

    /// <summary>The pager has the fault's message.</summary>
    Taken,

    /// <summary>A burst is handed to the port's driver.</summary>
    Sending,

    /// <summary>The port's driver is done with it.</summary>
    Sent,

    /// <summary>A burst has come.</summary>
    Received,

    /// <summary>The page is there and is about to be mapped.</summary>
    Mapping,

    /// <summary>It is mapped, and who waits was woken.</summary>
    Mapped,

    /// <summary>The program goes on.</summary>
    Resumed,
}
