using System.Runtime.CompilerServices;
using Rum.Native;

namespace Rum;

/// <summary>
/// Values of one unmanaged type in a segment, from an offset on; may hold far more than a .NET array. The segment stays its owner's. Any thread;
/// what two threads do to one value at once is theirs to order.
/// </summary>
/// <typeparam name="T">A type without references; its bytes are stored as they are.</typeparam>
public sealed class RumArray<T> where T : unmanaged
{
    private readonly RumSegment _segment;
    private readonly long _offset;

    /// <summary>All of a segment from <paramref name="offset"/> (in bytes) on.</summary>
    public RumArray(RumSegment segment, long offset = 0)
        : this(segment, offset, (segment.Length - offset) / Unsafe.SizeOf<T>())
    {
    }

    /// <summary><paramref name="length"/> values from <paramref name="offset"/> (in bytes) on.</summary>
    public RumArray(RumSegment segment, long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, (segment.Length - offset) / Unsafe.SizeOf<T>());
        (_segment, _offset, Length) = (segment, offset, length);
    }

    /// <summary>Values.</summary>
    public long Length { get; }

    /// <summary>One value. Blocks this thread while its page is absent; the garbage collector runs on.</summary>
    public T this[long index]
    {
        get => _segment.Read<T>(OffsetOf(index, 1));
        set => _segment.Write(OffsetOf(index, 1), value);
    }

    /// <summary>Reads values from <paramref name="index"/> on; completes at once when they are resident.</summary>
    public ValueTask ReadAsync(long index, Memory<T> to, CancellationToken cancellationToken = default) =>
        _segment.ReadAsync(OffsetOf(index, to.Length), to, cancellationToken);

    /// <summary>Writes values from <paramref name="index"/> on; completes at once when their pages are resident.</summary>
    public ValueTask WriteAsync(long index, ReadOnlyMemory<T> from, CancellationToken cancellationToken = default) =>
        _segment.WriteAsync(OffsetOf(index, from.Length), from, cancellationToken);

    /// <summary>Starts fetching values.</summary>
    public ValueTask PrefetchAsync(long index, long count, CancellationToken cancellationToken = default) =>
        _segment.PrefetchAsync(OffsetOf(index, count), count * Unsafe.SizeOf<T>(), cancellationToken);

    /// <summary>
    /// A reference to a value. Using it while the page is absent is a page fault in managed code: it holds up every garbage collection of the
    /// process until the page is there; see <see cref="RumSegment.DangerousGetSpan"/>.
    /// </summary>
    public ref T DangerousGetReference(long index) =>
        ref NativeMemoryView.First<T>(_segment.DangerousGetSpan(OffsetOf(index, 1), Unsafe.SizeOf<T>()));

    private long OffsetOf(long index, long count)
    {
        if ((ulong)index > (ulong)Length || (ulong)count > (ulong)(Length - index))
        {
            throw new ArgumentOutOfRangeException(nameof(index), $"{count} values from {index} on don't lie in an array of {Length}.");
        }

        return _offset + index * Unsafe.SizeOf<T>();
    }
}
