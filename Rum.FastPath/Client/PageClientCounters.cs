using Rum.FastPath.Server;

namespace Rum.FastPath.Client;

/// <summary>Counters of a page client since its start. Read by other threads without a lock: each field is right, together they may be a moment apart.</summary>
public struct PageClientCounters
{
    /// <summary>Pages read, zeros included.</summary>
    public long PagesRead;

    /// <summary>Of those, zeros.</summary>
    public long ZeroPagesRead;

    /// <summary>Of those read, how many came out of the silo's own memory, without a message.</summary>
    public long PagesReadDirectly;

    /// <summary>Direct reads that had to be asked by message after all: the page was changing, or the silo had to be asked for another reason.</summary>
    public long DirectReadsAsked;

    /// <summary>Pages written.</summary>
    public long PagesWritten;

    /// <summary>Trims acknowledged.</summary>
    public long Trims;

    /// <summary>Fences acknowledged.</summary>
    public long Fences;

    /// <summary>Segments taken over from their former writers.</summary>
    public long TakeOvers;

    /// <summary>Pages that only some replicas had from a former writer, and that were written to all.</summary>
    public long PagesLevelled;

    /// <summary>Requests that ended otherwise than well.</summary>
    public long Failed;

    /// <summary>Requests sent again after a time-out.</summary>
    public long Resends;

    /// <summary>Requests sent once more on suspicion, before their time-out.</summary>
    public long Probes;

    /// <summary>Reads that went to another replica because the first one was silent.</summary>
    public long ReadsMoved;

    /// <summary>Answers to requests that had ended, or to another life of the slot.</summary>
    public long LateAnswers;

    /// <summary>Fragments that started their page again, because a newer version of it came.</summary>
    public long MixedFragments;

    /// <summary>Fragments dropped because too many pages were half-received.</summary>
    public long AssembliesExhausted;

    /// <summary>Requests that were routed anew because a silo refused them.</summary>
    public long Rerouted;

    /// <summary>Frames dropped, by <see cref="Frames.FrameFault"/>.</summary>
    public PageServerCounters.FaultCounters Faults;
}
