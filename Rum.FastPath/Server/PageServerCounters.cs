using System.Runtime.CompilerServices;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Server;

/// <summary>Counters of a page server since its start. Read by other threads without a lock: each field is right, together they may be a moment apart.</summary>
public struct PageServerCounters
{
    /// <summary>Pages answered, zeros included.</summary>
    public long PagesRead;

    /// <summary>Of those, zeros.</summary>
    public long ZeroPagesRead;

    /// <summary>Writes applied.</summary>
    public long PagesWritten;

    /// <summary>Whole pages that came, to be written or learned, and did not land in the frame that they live in: copied once.</summary>
    public long PagesCopied;

    /// <summary>Writes acknowledged again.</summary>
    public long DuplicateWrites;

    /// <summary>Trims applied or repeated.</summary>
    public long Trims;

    /// <summary>Fences answered.</summary>
    public long Fences;

    /// <summary>Hellos answered.</summary>
    public long Hellos;

    /// <summary>Whole control requests handed over.</summary>
    public long ControlRequests;

    /// <summary>Control requests dropped because the control thread's queue was full.</summary>
    public long ControlRequestsDropped;

    /// <summary>Control answers sent.</summary>
    public long ControlAnswers;

    /// <summary>Signs of life given; each goes to all seats of the council.</summary>
    public long SignsGiven;

    /// <summary>Signs of other silos.</summary>
    public long SignsHeard;

    /// <summary>Half-received messages that were forgotten.</summary>
    public long AssembliesDropped;

    /// <summary>Answers dropped because a driver took none for too long, or a write because no frame was free for a moment.</summary>
    public long AnswersDropped;

    /// <summary>Requests refused, by <see cref="Core.PageStatus"/>.</summary>
    public RefusalCounters Refused;

    /// <summary>Frames dropped, by <see cref="FrameFault"/>.</summary>
    public FaultCounters Faults;

    /// <summary>One counter per status.</summary>
    [InlineArray(16)]
    public struct RefusalCounters
    {
        private long _first;
    }

    /// <summary>One counter per fault.</summary>
    [InlineArray((int)FrameFault.Count)]
    public struct FaultCounters
    {
        private long _first;
    }
}
