namespace Rum.FastPath.Client;

/// <summary>Rules of a successor that a test may switch off.</summary>
public enum TakeOverDefect : byte
{
    /// <summary>All rules hold.</summary>
    None,

    /// <summary>Only one silo records the token before the segment counts as taken over.</summary>
    FencesOneSilo,

    /// <summary>What only some replicas have stays so.</summary>
    LevelsNothing,
}
