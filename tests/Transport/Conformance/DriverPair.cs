using Rum.FastPath.Drivers;

namespace Rum.Transport.Tests.Conformance;

/// <summary>Two connected drivers, and what a test must know to treat all kinds alike.</summary>
public abstract class DriverPair : IDisposable
{
    /// <summary>The end that speaks first.</summary>
    public abstract IDriver Client { get; }

    /// <summary>The other end.</summary>
    public abstract IDriver Server { get; }

    /// <summary>The server's address as the client says it.</summary>
    public abstract PeerAddress ServerAddress { get; }

    /// <summary>Lets the medium do its work: real ones need nothing, the simulated one needs time.</summary>
    public virtual void Flow()
    {
    }

    /// <summary>Ends the server abruptly.</summary>
    public abstract void KillServer();

    public abstract void Dispose();
}
