using Rum.Core;
using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Client;

/// <summary>
/// Control requests over a lossy driver of its own: sends, waits, sends again with the same request id until the answer is here or the time is up. What makes a
/// command run at most once is the council, which keeps the last result of each request id; this keeps the id the same. One
/// request at a time; owned by one thread, which it blocks. Never used on the data plane.
/// </summary>
public sealed unsafe class ControlClient : IDisposable
{
    private const int Burst = 32;
    private const int RedirectsAtOnce = 4;

    // So short a part of the time that a call has is the first wait at most, doubled each time, that it reaches another address before its end.
    private const int FirstWaitPart = 8;

    private readonly IDriver _driver;
    private readonly ControlClientOptions _options;
    private readonly TxBatch _tx;
    private readonly RxFrame[] _rx = new RxFrame[Burst];
    private readonly MessageAssembly _assembly = new();
    private readonly List<PeerAddress> _addresses;
    private int _current;
    private int _unanswered;   // sends to the current address since it last answered, over all calls
    private uint _counter;
    private ulong _packetNumber;
    private long _smoothed, _variation;
    private bool _otherVersion;

    /// <summary>A client of whoever answers at one of the addresses.</summary>
    /// <param name="driver">Its own from now on.</param>
    /// <param name="addresses">Council members, in the order to try; at least one.</param>
    /// <param name="options">Times.</param>
    public ControlClient(IDriver driver, IReadOnlyList<PeerAddress> addresses, ControlClientOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(addresses.Count, nameof(addresses));
        _driver = driver;
        _options = options ?? new ControlClientOptions();
        _tx = new TxBatch(driver);
        _addresses = [.. addresses];
    }

    /// <summary>The address that answered last, or is tried first.</summary>
    public PeerAddress Current => _addresses[_current];

    /// <summary>Turns to an address that answers elsewhere, before the next request. The owner's thread.</summary>
    public void TurnTo(PeerAddress address)
    {
        _current = _addresses.IndexOf(address);
        if (_current >= 0) return;
        _current = _addresses.Count;
        _addresses.Add(address);
    }

    /// <summary>
    /// The cluster generation that the sender belongs to, as soon as it does: silos of other clusters refuse it, and answers of other ones are dropped, except
    /// refusals. 0: whoever answers. The owner's thread.
    /// </summary>
    public uint Generation { get; set; }

    /// <summary>Requests sent again.</summary>
    public long Resends { get; private set; }

    /// <summary>
    /// Sends a request and waits for its answer. Unavailable: none came within <paramref name="deadline"/>; Incompatible: none in this
    /// version's words; the request may have been carried out or not, and asking again with the same request id in the payload is safe.
    /// </summary>
    public ControlReply Call(SessionId session, ReadOnlySpan<byte> request, TimeSpan deadline, CancellationToken cancel = default)
    {
        int longest = Math.Min(FrameCodec.ControlMessageBytesMax, FrameCodec.FragmentsMax * _driver.Traits.MaxPayload);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(request.Length, longest, nameof(request));
        return Exchange(FrameType.Control, session, request, deadline, cancel);
    }

    /// <summary>Asks who is there. None: the incarnation in the reply is the silo's.</summary>
    public ControlReply Hello(TimeSpan deadline, CancellationToken cancel = default) => Exchange(FrameType.Hello, default, default, deadline, cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        _tx.Dispose();
        _driver.Dispose();
    }

    private ControlReply Exchange(FrameType type, SessionId session, ReadOnlySpan<byte> request, TimeSpan deadline, CancellationToken cancel)
    {
        _counter++;
        _assembly.Reset();
        _otherVersion = false;
        long start = Now, time = (long)deadline.TotalNanoseconds, end = start + time, sentNs = start;
        // What was measured of a busy silo says nothing of one that is gone: no call waits for that alone.
        long first = Math.Clamp(time / FirstWaitPart, _options.ResendNsMin, _options.ResendNsMax), resendAfter = Math.Min(ResendAfter, first);
        fixed (byte* payload = request)
        {
            // The calls before may have ended too soon to turn away from a silo that is silent.
            if (_unanswered >= _options.ResendsPerAddress) TurnAway();
            Send(type, session, payload, request.Length, resend: false);
            for (int redirects = 0, tries = 0; ;)
            {
                if (Receive(type, session, out ControlReply reply))
                {
                    _unanswered = 0;
                    if (tries == 0) Measure(Now - start);
                    if (reply.Error != RumError.NotLeader) return reply;
                    // Another silo: the request is as new there.
                    // Where nobody leads at the moment, or two name each other, a pause.
                    resendAfter = Follow(reply.Payload) && ++redirects % RedirectsAtOnce != 0 ? 0 : _options.ResendNsMin;
                    sentNs = Now;
                }
                long now = Now;
                if (now >= end || cancel.IsCancellationRequested) return new ControlReply(_otherVersion ? RumError.Incompatible : RumError.Unavailable, [], default);
                if (now - sentNs >= resendAfter)
                {
                    resendAfter = resendAfter == 0 ? Math.Min(ResendAfter, first) : Math.Min(resendAfter * 2, _options.ResendNsMax);
                    // Also from those who answer and name each other, or themselves.
                    if (++tries % _options.ResendsPerAddress == 0 || _unanswered >= _options.ResendsPerAddress) TurnAway();
                    Send(type, session, payload, request.Length, resend: true);
                    sentNs = now;
                    Resends++;
                }
                Wait(Math.Min(sentNs + resendAfter, end) - now);
            }
        }
    }

    private long Now => _options.ClockNs == null ? MonotonicClock.NowNs : _options.ClockNs();

    private long ResendAfter => Math.Clamp(_smoothed + (4 * _variation), _options.ResendNsMin, _options.ResendNsMax);

    private void Measure(long roundTripNs)
    {
        _variation = _smoothed == 0 ? roundTripNs / 2 : _variation + ((Math.Abs(_smoothed - roundTripNs) - _variation) / 4);
        _smoothed = _smoothed == 0 ? Math.Max(1, roundTripNs) : _smoothed + ((roundTripNs - _smoothed) / 8);
    }

    /// <summary>To the next address, of which nothing is known yet.</summary>
    private void TurnAway()
    {
        _current = (_current + 1) % _addresses.Count;
        _unanswered = 0;
    }

    /// <summary>Turns to the leader that an answer names, else to the next address; false: it names none.</summary>
    private bool Follow(byte[] answer)
    {
        PeerAddress? leader = _options.LeaderOf?.Invoke(answer);
        if (leader is { } named) TurnTo(named);
        else TurnAway();
        return leader != null;
    }

    private void Send(FrameType type, SessionId session, byte* payload, int length, bool resend)
    {
        _unanswered++;
        int maxPayload = _driver.Traits.MaxPayload, fragments = FrameCodec.FragmentsFor(length, maxPayload);
        uint sum = type == FrameType.Control ? Crc32C.Compute(payload, length) : 0;
        for (int i = 0; i < fragments; i++)
        {
            // What the driver doesn't take is lost; the next resend carries it.
            if (!_tx.MakeRoom(1)) break;
            FrameHeader* header = _tx.Next;
            FrameCodec.Start(header, type);
            if (resend) header->Flags = FrameFlags.Resend;
            header->Generation = Generation;
            header->Session = session.Value;
            header->PacketNumber = ++_packetNumber;
            header->Counter = _counter;
            header->Sequence = sum;
            FrameCodec.SetFragment(header, length, maxPayload, i);
            _tx.Add(_addresses[_current], payload + header->FragmentOffset);
        }
        // The payload is the caller's: nothing of it may stay behind.
        _tx.Flush();
        _tx.Clear();
    }

    private bool Receive(FrameType type, SessionId session, out ControlReply reply)
    {
        reply = default;
        bool found = false;
        for (int received = Burst; received == Burst && !found;)
        {
            received = _driver.Receive(_rx);
            for (int i = 0; i < received && !found; i++)
            {
                ref RxFrame frame = ref _rx[i];
                FrameFault fault = FrameCodec.Check(frame.Header, frame.Payload, frame.PayloadLength, _driver.Traits.Checksummed);
                _otherVersion |= fault == FrameFault.Version && frame.Peer == Current;
                if (fault != FrameFault.None) continue;
                var header = (FrameHeader*)frame.Header;
                if (header->Type != (type | FrameType.Answer) || header->Session != session.Value || header->Slot != 0 || header->Counter != _counter) continue;
                if (IsForeign(header)) continue;
                byte[]? message = type == FrameType.Hello ? [] : _assembly.Add(header, frame.Payload);
                if (message == null) continue;
                reply = new ControlReply((RumError)header->Status, message, new Incarnation(header->Incarnation));
                found = true;
            }
            _driver.Release();
        }
        return found;
    }

    // A silo that has no view yet names no generation; what it says is the council's word all the same.
    private bool IsForeign(FrameHeader* header) =>
        Generation != 0 && header->Generation != 0 && header->Generation != Generation && header->Type == FrameType.ControlAnswer && header->Status == (ushort)RumError.None;

    private void Wait(long waitNs)
    {
        if (waitNs <= 0) return;
        if (_options.Wait != null)
        {
            _options.Wait(waitNs);
            return;
        }
        // So that a cancelled caller is noticed soon.
        waitNs = Math.Min(waitNs, 50_000_000);
        Span<int> descriptors = [_driver.WaitDescriptor];
        if (_driver.PrepareWait()) Polling.WaitReadable(descriptors, waitNs);
        _driver.FinishWait();
    }
}
