using System.Buffers;
using Rum.Native;
using Rum.Session;

namespace Rum;

/// <summary>
/// A range of a segment that stays resident until the pin is disposed. <see cref="MemoryManager{T}.Memory"/> may be handed to anything that takes
/// memory, sockets and files included. A span taken from it must not be used after the segment's disposal: that ends the process.
/// </summary>
public sealed class RumPin : MemoryManager<byte>
{
    private readonly RumSegment _segment;
    private readonly UseGate _gate;
    private readonly nint _address;
    private readonly int _length;
    private readonly bool _tried;
    private int _disposed;

    internal RumPin(RumSegment segment, UseGate gate, nint address, int length, bool tried)
    {
        _segment = segment;
        _gate = gate;
        _address = address;
        _length = length;
        _tried = tried;
    }

    /// <summary>Bytes.</summary>
    public int Length => _length;

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The pin or its segment was disposed, or the segment was resized.</exception>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        ObjectDisposedException.ThrowIf(_gate.IsClosed, _segment);
        return NativeMemoryView.Bytes(_address, _length);
    }

    /// <summary>The address of an element; the memory doesn't move, so there is nothing to release.</summary>
    public override unsafe MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length, nameof(elementIndex));
        _ = GetSpan();
        return new MemoryHandle(NativeMemoryView.Pointer(_address + elementIndex), default, this);
    }

    /// <summary>Does nothing: see <see cref="Pin"/>.</summary>
    public override void Unpin()
    {
    }

    /// <summary>Ends the pin. May be called again.</summary>
    public void Dispose() => Dispose(true);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) RumSegment.Unpin(_gate, _address, _length, _tried);
    }
}
