using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Simulation.Client;

/// <summary>A segment as one process has it mapped.</summary>
internal sealed class Attachment(SegmentModel model, SegmentHandle handle, nint address, bool readOnly)
{
    public SegmentModel Model => model;

    public SegmentHandle Handle => handle;

    public nint Address => address;

    public bool ReadOnly => readOnly;

    /// <summary>Reader: no page may be older than this.</summary>
    public long[] NotBefore { get; } = [.. Enumerable.Range(0, model.Count).Select(i => model[i].FlushedAt)];

    /// <summary>Threads at work on it, and pins.</summary>
    public int Users { get; set; }

    /// <summary>No thread may begin anything with it.</summary>
    public bool Closing { get; set; }

    /// <summary>Its session has ended and nobody has told the process yet: what it stores now may or may not last.</summary>
    public bool Orphan { get; set; }

    /// <summary>
    /// Whether anything may be read: others may write it meanwhile. Anonymous memory of a session that is over is what was stored, or isn't to be had, never zeros.
    /// </summary>
    public bool AnythingGoes => Orphan && !Model.Freed;

    /// <summary>The pager took it away, as another writer has it.</summary>
    public bool Unmapped { get; set; }

    public nint AddressOf(int index) => address + (nint)(model[index].Number << Layout.PageShift);
}
