namespace Rum.Core;

/// <summary>Where the only current copy of a page is, as the client's pager sees it.</summary>
public enum PageState : byte
{
    /// <summary>Not here. The silo has it, or nobody has and it reads as zeros (see <see cref="PageWord.Remote"/>).</summary>
    Absent = 0,

    /// <summary>Asked for, or here in a slot but not yet mapped.</summary>
    Loading = 1,

    /// <summary>Mapped: the program reads and writes it without us.</summary>
    Present = 2,

    /// <summary>Taken from the program and being written back; the slot stays intact until the write is acknowledged.</summary>
    Evicting = 3,
}
