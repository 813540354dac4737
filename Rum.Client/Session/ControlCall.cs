namespace Rum.Session;

/// <summary>A call of the control plane; <paramref name="undo"/> takes it back when it succeeded after it was cancelled.</summary>
internal sealed class ControlCall(Func<int> call, Action? undo = null) : WaitCall
{
    protected override int Invoke() => call();

    protected override void Undo() => undo?.Invoke();
}
