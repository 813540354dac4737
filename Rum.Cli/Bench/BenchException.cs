namespace Rum.Cli.Bench;

/// <summary>A figure that could not be taken; the message says why.</summary>
internal sealed class BenchException(string message) : Exception(message);
