using Rum.Core.Sessions;
using Rum.FastPath.Drivers;

namespace Rum.FastPath.Server;

/// <summary>Where the page server hands the control requests that arrive on its drivers.</summary>
public interface IControlSink
{
    /// <summary>
    /// Takes a request; called on the data thread, so it must only queue it. False: the queue is full; the request is dropped and counted, and its sender
    /// sends it again. Resends of the same request arrive too: the taker makes them one by (session, slot, counter).
    /// The answer goes back by <see cref="PageServer.Answer"/>.
    /// </summary>
    bool TryAccept(ControlRequest request);

    /// <summary>A silo's sign of life, or the own one, which is seen here too; called on the data thread, so it must be short and allocate nothing.</summary>
    void TakeSign(in SiloSign sign)
    {
        // Who holds no council misses nobody.
    }
}

/// <summary>A whole control request.</summary>
/// <param name="Origin">Where the answer goes; for <see cref="PageServer.Answer"/> only.</param>
/// <param name="Session">The sender's session, 0 before there is one.</param>
/// <param name="Slot">The sender's request slot.</param>
/// <param name="Counter">The request's number in the slot.</param>
/// <param name="Payload">The message; the taker's to keep.</param>
public sealed record ControlRequest(ControlOrigin Origin, ulong Session, uint Slot, uint Counter, byte[] Payload)
{
    /// <summary>The cluster generation that the sender belongs to, 0 where it belongs to none yet.</summary>
    public uint Generation { get; init; }
}

/// <summary>Which of the server's drivers and which peer.</summary>
public readonly record struct ControlOrigin(int Driver, PeerAddress Peer);
