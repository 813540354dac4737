using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.Core.Sessions;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Linux;

namespace Rum.Pager.Session;

/// <summary>
/// The lines by which application threads ask the council, each a socket and a request slot: who asks has one for itself and waits on it for its answer, so that commands of several threads
/// are under way side by side and the council decides them together. Lines are opened when more threads ask at a time than ever before.
/// </summary>
internal sealed class CommandLines : IDisposable
{
    /// <summary>Commands under way at a time; further threads wait for a line.</summary>
    public const int Max = 16;

    private static readonly TimeSpan IdlePatience = TimeSpan.FromSeconds(1);

    private readonly Func<ControlClient> _open;
    private readonly RequestSlots _slots = new(Max);
    private readonly Line?[] _lines = new Line?[Max];
    private readonly object _lock = new();

    // Who answered last: a line that was not used for long needn't find out by itself where the leader is now.
    private PeerAddress? _answered;
    private bool _closed;

    /// <summary>Lines that <paramref name="open"/> opens.</summary>
    public CommandLines(Func<ControlClient> open) => _open = open;

    /// <summary>Says, before the first is taken, who answers.</summary>
    public void TurnTo(PeerAddress address) => _answered = address;

    /// <summary>Waits for a line. See <see cref="RequestSlots.TryTake"/>; null: they are closed.</summary>
    public Line? Take(SessionId session, out RequestId id, out bool settles)
    {
        PeerAddress? ask;
        lock (_lock)
        {
            while (true)
            {
                (id, settles) = (default, false);
                if (_closed) return null;
                if (_slots.TryTake(session, out id, out settles)) break;
                Monitor.Wait(_lock);
            }
            ask = _answered;
        }
        try
        {
            Line line = _lines[id.Slot] ??= new Line(_open());
            if (ask is { } address) line.Client.TurnTo(address);
            return line;
        }
        catch
        {
            // Nothing was asked, so what was settled is and what was not is not.
            Give(id, answered: !settles);
            throw;
        }
    }

    /// <summary>Gives a line back; not <paramref name="answered"/>: its request may still be decided.</summary>
    public void Give(RequestId id, bool answered)
    {
        lock (_lock)
        {
            if (answered && _lines[id.Slot] is { } line && line.Client.Current != _answered) _answered = line.Client.Current;
            _slots.Give(id.Slot, answered);
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Gives out no line any more, also to those who wait for one.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Closes, and closes the sockets when nobody has a line any more; one that is held for longer is left to the end of the process.</summary>
    public void Dispose()
    {
        Close();
        lock (_lock)
        {
            long end = MonotonicClock.NowNs + (long)IdlePatience.TotalNanoseconds;
            for (long left; !_slots.Idle; Monitor.Wait(_lock, TimeSpan.FromMicroseconds(left / 1000)))
            {
                left = end - MonotonicClock.NowNs;
                if (left <= 0) return;
            }
        }
        foreach (Line? line in _lines) line?.Client.Dispose();
        Array.Clear(_lines);
    }

    /// <summary>A line, of the thread that has taken it.</summary>
    internal sealed class Line(ControlClient client)
    {
        private readonly byte[] _request = new byte[RequestCodec.BytesMax];

        public ControlClient Client => client;

        /// <summary>Asks once; null: no answer that can be read came in time.</summary>
        public CouncilAnswer? Ask(SessionId session, CouncilRequest request, TimeSpan patience, CancellationToken cancel, out bool incompatible)
        {
            int length = RequestCodec.Encode(_request, request);
            Invariant.Check(length > 0);
            ControlReply reply = client.Call(session, _request.AsSpan(0, length), patience, cancel);
            CouncilAnswer? answer = null;
            incompatible = reply.Payload.Length == 0 ? reply.Error == RumError.Incompatible : !AnswerCodec.TryDecode(reply.Payload, out answer);
            return answer;
        }
    }
}
