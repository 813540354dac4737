using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Rum.FastPath.Linux;

/// <summary>A system call failed in a way that its caller can't go on from. Names the call, what it was about, and errno in words.</summary>
public sealed class ErrnoException : IOException
{
    /// <summary>For the call <paramref name="call"/>, which left <paramref name="errno"/>.</summary>
    public ErrnoException(string call, int errno, string? about = null)
        : base($"{call}{(about is null ? "" : $" ({about})")} failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})")
    {
        Call = call;
        Number = errno;
    }

    /// <summary>The C name of the call.</summary>
    public string Call { get; }

    /// <summary>errno.</summary>
    public int Number { get; }

    /// <summary>Returns <paramref name="result"/>, or throws with the errno of the last binding called when it is negative.</summary>
    public static int Check(int result, string call, string? about = null)
    {
        if (result < 0) ThrowLast(call, about);
        return result;
    }

    /// <summary>The same for calls that return a size.</summary>
    public static nint Check(nint result, string call, string? about = null)
    {
        if (result < 0) ThrowLast(call, about);
        return result;
    }

    /// <summary>Throws with the errno of the last binding called.</summary>
    [DoesNotReturn]
    public static void ThrowLast(string call, string? about = null) =>
        throw new ErrnoException(call, Marshal.GetLastPInvokeError(), about);
}
