namespace Rum.Grains.Carrying;

/// <summary>No grain answered in time: the message says for how long it was tried and what was in the way.</summary>
public sealed class GrainsUnreachableException(string message) : IOException(message);
