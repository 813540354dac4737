using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Native;

namespace Rum;

/// <summary>Turns the error numbers of librum.so into exceptions. Must run on the thread whose call failed: the message is that thread's.</summary>
internal static class RumErrors
{
    /// <summary>Throws for anything but 0.</summary>
    [StackTraceHidden]
    internal static void ThrowOnFailure(int code)
    {
        if (code != 0) Throw((RumError)code);
    }

    /// <summary>The exception of this thread's last failure.</summary>
    internal static Exception LastFailure(int code) => Create((RumError)code, LastMessage());

    /// <summary>Throws the exception of this thread's last failure.</summary>
    [DoesNotReturn, StackTraceHidden]
    internal static void Throw(RumError error) => throw Create(error, LastMessage());

    /// <summary>The exception that belongs to a code; <paramref name="cause"/> may be empty.</summary>
    internal static Exception Create(RumError error, string cause)
    {
        string message = Sentence(cause.Length > 0 ? cause : CauseOf(error), NextStep(error));
        return error switch
        {
            RumError.InvalidArgument => new ArgumentException(message),
            RumError.Unavailable or RumError.Timeout or RumError.NotLeader or RumError.StaleView or RumError.Pending => new RumUnavailableException(error, message),
            RumError.ShardLost => new ShardLostException(error, message),
            RumError.OutOfMemory => new OutOfRemoteMemoryException(error, message),
            RumError.NotFound => new SegmentNotFoundException(error, message),
            RumError.AlreadyExists => new SegmentExistsException(error, message),
            RumError.SegmentBusy => new SegmentBusyException(error, message),
            RumError.ReadOnly => new SegmentReadOnlyException(error, message),
            RumError.SessionExpired or RumError.Fenced => new SessionExpiredException(error, message),
            RumError.PinBudgetExceeded => new PinBudgetExceededException(error, message),
            RumError.UserfaultfdUnavailable => new UserfaultfdUnavailableException(error, message),
            RumError.BadConfiguration or RumError.UnknownSilo or RumError.Incompatible => new RumConfigurationException(error, message),
            _ => new RumException(error, message),
        };
    }

    private static unsafe string LastMessage() => Marshal.PtrToStringUTF8((nint)LibRum.rum_last_error()) ?? "";

    private static string Sentence(string cause, string next)
    {
        if (next.Length == 0 || cause.Contains(next, StringComparison.Ordinal)) return cause;
        return cause.EndsWith('.') ? $"{cause} {next}" : $"{cause}. {next}";
    }

    private static string CauseOf(RumError error) => error switch
    {
        RumError.InvalidArgument => "An argument is out of range.",
        RumError.NotInitialized => "There is no RUM session in this process.",
        RumError.AlreadyInitialized => "This process has a RUM session already.",
        RumError.BadConfiguration => "A setting makes no sense.",
        RumError.Unavailable => "No silo answered.",
        RumError.OutOfMemory => "The silos have no room.",
        RumError.NotFound => "No segment has that key.",
        RumError.AlreadyExists => "A segment with that key exists.",
        RumError.SegmentBusy => "Another session has the segment open for writing.",
        RumError.SessionExpired => "The session's lease ended: its anonymous memory is freed, its pages are unmapped.",
        RumError.ShardLost => "No replica of the shard is left that holds the page.",
        RumError.BadPointer => "The address is not one that RUM gave out, or was freed.",
        RumError.UserfaultfdUnavailable => "userfaultfd is not permitted or too old here.",
        RumError.PinBudgetExceeded => "The local cache can't hold that many pinned pages.",
        RumError.ReadOnly => "The segment is open for reading.",
        RumError.Timeout => "A page could not be had within the fault time-out.",
        RumError.UnknownSilo => "The cluster has no such silo.",
        RumError.Incompatible => "Client and silo speak different versions of the protocol.",
        RumError.Fenced => "A later writer opened the segment.",
        _ => "RUM failed.",
    };

    private static string NextStep(RumError error) => error switch
    {
        RumError.NotInitialized => "Call RumMemory.Init() or RumClient.ConnectAsync() first.",
        RumError.AlreadyInitialized => "Use the session that is there, or end it first.",
        RumError.Unavailable => "Is one running? 'rum silo run --dev' starts one here; 'rum status' says what is missing.",
        RumError.OutOfMemory => "Free something, or add a silo; 'rum status' says what is free where.",
        RumError.NotFound => "'rum segment list' shows the keys there are.",
        RumError.AlreadyExists => "Open it, or delete it first.",
        RumError.SegmentBusy => "Open it with RumAccess.Read, or wait until the other session closes it or its lease ends.",
        RumError.SessionExpired or RumError.Fenced => "Dispose the client and connect anew.",
        RumError.ShardLost => "'rum status' names the silos; what they held has to be restored or given up.",
        RumError.PinBudgetExceeded => "Dispose other pins, pin less at once, or raise CacheBytes.",
        RumError.ReadOnly => "Open it with RumAccess.Write.",
        RumError.UnknownSilo => "'rum status' lists the silos.",
        RumError.Internal => "Please report this with the message.",
        _ => "",
    };
}
