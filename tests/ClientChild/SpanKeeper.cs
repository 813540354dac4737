namespace Rum.Client.Child;

/// <summary>Keeps the address of a pin's span, as a careless program would.</summary>
internal sealed unsafe class SpanKeeper
{
    private readonly byte* _first;

    internal SpanKeeper(RumPin pin)
    {
        fixed (byte* first = pin.GetSpan()) _first = first;
    }

    internal byte ReadThrough() => *_first;
}
