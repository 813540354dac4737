namespace Rum.FastPath.Server;

/// <summary>Rules of a replica that a test may switch off.</summary>
public enum ReplicaDefect : byte
{
    /// <summary>All rules hold.</summary>
    None,

    /// <summary>A trimmed page is as if it had never been written.</summary>
    TrimForgetsItsVersion,

    /// <summary>What was marked for a snapshot is overwritten like everything else.</summary>
    CutKeepsNothing,

    /// <summary>Silos mark their tables for a snapshot without holding acknowledgements.</summary>
    CutWithoutHold,

    /// <summary>A learner takes writes before it knows the segments' tokens, and doesn't take those over.</summary>
    LearnerTakesNoToken,
}
