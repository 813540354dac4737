namespace Rum.Core.Sessions;

/// <summary>
/// A silo's sign of life, sent every <see cref="ObservedClock.LookNs"/> by the thread that serves its pages: that thread runs, and how far the rest of the process has got. It
/// wants no answer.
/// </summary>
/// <param name="Silo">Who.</param>
/// <param name="Incarnation">In which life.</param>
/// <param name="Progress">Rises while the control plane of the process runs.</param>
public readonly record struct SiloSign(SiloId Silo, Incarnation Incarnation, ulong Progress);
