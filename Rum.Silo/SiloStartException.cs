namespace Rum.Silo;

/// <summary>A silo could not start: the message says what is in the way and what to do.</summary>
public sealed class SiloStartException(string message, Exception? inner = null) : Exception(message, inner);
