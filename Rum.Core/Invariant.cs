using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Rum.Core;

/// <summary>An assertion that stays in Release: a broken protocol or replica invariant must stop the program, not corrupt memory.</summary>
public static class Invariant
{
    /// <summary>Throws <see cref="InvariantViolationException"/> when <paramref name="condition"/> is false.</summary>
    public static void Check(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string expression = "",
        [CallerMemberName] string member = "")
    {
        if (!condition) Fail(expression, member);
    }

    [DoesNotReturn]
    private static void Fail(string expression, string member) =>
        throw new InvariantViolationException($"Invariant broken in {member}: {expression}");
}

/// <summary>A broken invariant: a defect in RUM itself. Nothing may be done after it but to stop.</summary>
public sealed class InvariantViolationException(string message) : Exception(message);
