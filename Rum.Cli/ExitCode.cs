namespace Rum.Cli;

/// <summary>What <c>rum</c> exits with.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>It could not be done; stderr says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a setting is wrong.</summary>
    public const int Usage = 2;

    /// <summary>No silo answered.</summary>
    public const int NoSilo = 3;

    /// <summary>A snapshot was restored, but some extents came back as lost; stdout names them.</summary>
    public const int RestoredInPart = 4;

    /// <summary>Stopped by the user (as a shell says for SIGINT).</summary>
    public const int Interrupted = 130;
}

/// <summary>Ends a command with a message for people and an exit code.</summary>
internal sealed class CommandFailedException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
