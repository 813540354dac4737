namespace Rum.Core.Ring;

/// <summary>A silo on the ring with its weight: the bytes that it offers. 0 takes no part.</summary>
public readonly record struct RingNode(SiloId Silo, long Capacity);
