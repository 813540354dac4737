using Rum.Core.Council;

namespace Rum.FastPath.Server;

/// <summary>
/// Makes one request of all its resends, for those who carry requests elsewhere: the first is carried, the others wait for its answer or get it again. What a
/// request may do twice is the council's business; this spares the way. Bounded; any thread.
/// </summary>
public sealed class ControlMemory
{
    /// <summary>Answers remembered; the oldest go first.</summary>
    public const int AnswersMax = 1024;

    private readonly Dictionary<Key, Entry> _entries = [];
    private readonly Queue<Key> _answered = new();

    /// <summary>
    /// True: this one is to be carried, and <see cref="End"/> to be called. False: it was asked before; <paramref name="known"/> is its answer, null while
    /// that is on its way.
    /// </summary>
    public bool TryBegin(ControlRequest request, out CouncilAnswer? known)
    {
        known = null;
        Key key = Key.Of(request);
        lock (_entries)
        {
            // A new process may have the port of one that ended: then the payload differs.
            if (_entries.TryGetValue(key, out Entry? entry) && entry.Payload.AsSpan().SequenceEqual(request.Payload))
            {
                known = entry.Answer;
                return false;
            }
            _entries[key] = new Entry(request.Payload);
            return true;
        }
    }

    /// <summary>The answer, or null: it was not carried, and the next resend may be.</summary>
    public void End(ControlRequest request, CouncilAnswer? answer)
    {
        Key key = Key.Of(request);
        lock (_entries)
        {
            if (!_entries.TryGetValue(key, out Entry? entry) || !ReferenceEquals(entry.Payload, request.Payload)) return;
            // Heartbeats look alike: only what is decided is worth remembering.
            if (answer is not CommandAnswer)
            {
                _entries.Remove(key);
                return;
            }
            entry.Answer = answer;
            _answered.Enqueue(key);
            while (_answered.Count > AnswersMax && _answered.TryDequeue(out Key oldest))
            {
                if (_entries.TryGetValue(oldest, out Entry? old) && old.Answer is not null) _entries.Remove(oldest);
            }
        }
    }

    // A session's commands are told apart by what they say: a client that asks anew after a while counts on, but says the same. Whoever has no session
    // may mean the same words twice.
    private readonly record struct Key(ControlOrigin Origin, ulong Session, uint Counter, int Content)
    {
        public static Key Of(ControlRequest request)
        {
            var content = new HashCode();
            content.AddBytes(request.Payload);
            return new Key(request.Origin, request.Session, request.Session == 0 ? request.Counter : 0, content.ToHashCode());
        }
    }

    private sealed class Entry(byte[] payload)
    {
        public byte[] Payload { get; } = payload;

        public CouncilAnswer? Answer { get; set; }
    }
}
