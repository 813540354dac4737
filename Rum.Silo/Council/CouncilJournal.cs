using Rum.Core;
using Rum.Core.Council;

namespace Rum.Silo.Council;

/// <summary>Something that a person who watches the cluster wants to know of.</summary>
/// <param name="Number">Rising by one.</param>
/// <param name="At">When, by this machine's clock.</param>
/// <param name="Decree">The decree that it was decided in, 0 for what is noticed, not decided.</param>
/// <param name="Kind">join, leave, silent, heard, lost, session, expired, segment or freed.</param>
/// <param name="Text">In words.</param>
public readonly record struct JournalEntry(ulong Number, DateTimeOffset At, ulong Decree, string Kind, string Text);

/// <summary>The latest of what the council decided and noticed since its process started. One thread writes, any may read.</summary>
public sealed class CouncilJournal(TimeProvider time)
{
    /// <summary>Entries kept.</summary>
    public const int Max = 200;

    private readonly Queue<JournalEntry> _entries = new(Max);
    private ulong _next = 1;
    private int _lost;

    /// <summary>What is kept, oldest first.</summary>
    public IReadOnlyList<JournalEntry> Entries
    {
        get
        {
            lock (_entries) return [.. _entries];
        }
    }

    /// <summary>A command that was decided, if it is one to tell of: a join or leave that was asked for again changes no view and is no news.</summary>
    public void Decided(ulong decree, Command command, Result result, bool viewChanged)
    {
        if (result.Error != RumError.None || (!viewChanged && command is (Join or Leave))) return;
        (string Kind, string Text)? told = (command, result) switch
        {
            (Join join, JoinResult joined) => ("join", $"silo {join.Silo.Name} joined as silo {joined.Silo.Value}, incarnation {join.Silo.Incarnation}"),
            (Leave leave, _) => ("leave", $"silo {leave.Silo.Value} left"),
            (OpenSession open, SessionResult opened) => ("session", $"session {opened.Session.Value} opened{(open.ClientName.Length > 0 ? " by " + open.ClientName : "")}"),
            (CloseSession close, _) => ("session", $"session {close.Session.Value} closed"),
            (Expire expire, _) => ("expired", $"session {expire.Session.Value} expired: no heartbeat for its whole lease"),
            (Allocate allocate, SegmentResult made) => ("segment",
                $"segment {made.Segment.Value} of {Core.Configuration.ByteSize.Format(made.Size)} allocated by session {allocate.Session.Value}"),
            (Free free, _) => ("freed", free.Segment.Value != 0 ? $"segment {free.Segment.Value} freed" : $"segment with key {new SegmentKey(free.Key)} freed"),
            _ => null,
        };
        if (told is var (kind, text)) Add(decree, kind, text);
    }

    /// <summary>A view in force: how many of its shards are lost.</summary>
    public void Seen(ulong decree, ClusterView view)
    {
        int lost = view.Shards.Count(shard => shard.State == ShardState.Lost);
        if (lost > _lost) Add(decree, "lost", $"{lost - _lost} shards are lost: no silo holds their pages any more");
        _lost = lost;
    }

    /// <summary>A silo that hasn't been heard for long.</summary>
    public void Silent(string silo) => Add(0, "silent", $"silo {silo} is silent: what it stores can't be had until it is heard again");

    /// <summary>A silent silo that is heard.</summary>
    public void HeardAgain(string silo) => Add(0, "heard", $"silo {silo} is heard again");

    private void Add(ulong decree, string kind, string text)
    {
        lock (_entries)
        {
            if (_entries.Count == Max) _entries.Dequeue();
            _entries.Enqueue(new JournalEntry(_next++, time.GetUtcNow(), decree, kind, text));
        }
    }
}
