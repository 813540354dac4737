using Rum.Core.Council;

namespace Rum.Silo.Control;

/// <summary>Takes the commands and heartbeats of programs to the council on a way of its own: through grains.</summary>
public interface IRequestCarrier
{
    /// <summary>What keeps it from carrying now, empty for nothing.</summary>
    string Trouble { get; }

    /// <summary>
    /// Carries a command or a heartbeat. <paramref name="answer"/> is called once, on any thread; null: it could not be carried, and its sender will ask
    /// again. Returns at once.
    /// </summary>
    void Carry(CouncilRequest request, Action<CouncilAnswer?> answer);
}
