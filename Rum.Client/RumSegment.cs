using System.Diagnostics.CodeAnalysis;
using Rum.Core;
using Rum.Native;
using Rum.Session;

namespace Rum;

/// <summary>
/// One allocation: a range of remote bytes. All members may be called from any thread; what two threads do to the same bytes at once is theirs
/// to order. It has no finalizer: dispose it, else it is held until its client or the process ends.
/// </summary>
public sealed partial class RumSegment : IAsyncDisposable
{
    private readonly RumClient _client;
    private UseGate _gate = new();
    private nint _address;
    private long _length;
    private volatile bool _resizing;
    private int _disposed;

    internal RumSegment(RumClient client, in MappedSegment mapped, SegmentKey key, RumAccess access)
    {
        _client = client;
        _address = mapped.Address;
        _length = mapped.Length;
        Id = new SegmentId(mapped.Id);
        Key = key;
        Access = access;
    }

    /// <summary>Bytes.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>Its number in the cluster, never used again for another.</summary>
    public SegmentId Id { get; }

    /// <summary>Its key; <see cref="SegmentKey.IsAnonymous"/> when it has none.</summary>
    public SegmentKey Key { get; }

    /// <summary>What it was opened for.</summary>
    public RumAccess Access { get; }

    /// <summary>Returns when every store to it made before the call is on the silos.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => FlushAsync(0, Length, cancellationToken);

    /// <summary>Returns when every store to a range made before the call is on the silos.</summary>
    /// <exception cref="OutOfRemoteMemoryException">A sparse segment, and the silos have no room for what it holds now.</exception>
    public ValueTask FlushAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        RangeAsync(SegmentOperation.Flush, offset, length, cancellationToken);

    /// <summary>For readers: afterwards pages are at least as fresh as the writer's last flush before the call.</summary>
    public ValueTask RefreshAsync(CancellationToken cancellationToken = default) => RangeAsync(SegmentOperation.Refresh, 0, Length, cancellationToken);

    /// <summary>Starts fetching a range, as far as the cache allows, and doesn't wait for it.</summary>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default) =>
        RangeAsync(SegmentOperation.Prefetch, offset, length, cancellationToken);

    /// <summary>
    /// Changes the length; new bytes are zeros. It waits for the calls that are under way, and calls made meanwhile throw
    /// <see cref="InvalidOperationException"/>. Pins and spans from before are void.
    /// </summary>
    /// <exception cref="OutOfRemoteMemoryException">The silos have no room for what is added; the segment is unchanged.</exception>
    /// <exception cref="SegmentBusyException">Another <see cref="RumSegment"/> of this process has it open.</exception>
    public async ValueTask ResizeAsync(long bytes, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, Layout.MaxSegmentSize);
        cancellationToken.ThrowIfCancellationRequested();
        if (Access == RumAccess.Read) throw RumErrors.Create(RumError.ReadOnly, "");
        UseGate gate = Volatile.Read(ref _gate);
        _resizing = true;
        if (!gate.Close())
        {
            throw Unusable();
        }

        await gate.Drained.ConfigureAwait(false);
        try
        {
            MappedSegment mapped = default;
            // Not cancelled half way: whether the segment moved must be known.
            await _client.ControlAsync("resize", () => Calls.Resize(_address, bytes, out mapped), null, CancellationToken.None).ConfigureAwait(false);
            _address = mapped.Address;
            Volatile.Write(ref _length, mapped.Length);
        }
        finally
        {
            Volatile.Write(ref _gate, new UseGate());
            _resizing = false;
        }
    }

    /// <summary>
    /// Waits for the calls under way, then: named: flushes and closes it; anonymous: frees it. Pins are void: their spans, if still used, end the
    /// process with an access violation; they never show another segment's bytes.
    /// </summary>
    /// <exception cref="RumException">The flush of a named segment failed: what was stored since the last flush may be lost.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        UseGate gate;
        do
        {
            gate = Volatile.Read(ref _gate);
            gate.Close();
            await gate.Drained.ConfigureAwait(false);
            // A resize that was under way opens a new gate when it is done: wait for that one.
            if (_resizing) await Task.Yield();
        }
        while (_resizing || gate != Volatile.Read(ref _gate));

        _client.Remove(this);
        nint address = _address;
        try
        {
            await _client.Waiters.RunAsync(new ControlCall(() => LibRum.rum_close(address)), CancellationToken.None).ConfigureAwait(false);
        }
        catch (RumException) when (Key.IsAnonymous || Access == RumAccess.Read)
        {
            // Nothing is lost that anyone could still want: the session's end frees it.
        }
    }

    private async ValueTask RangeAsync(SegmentOperation operation, long offset, long length, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CheckRange(offset, length);
        if (length == 0) return;
        await _client.Waiters.RunAsync(new SegmentCall(Enter(), operation, _address + (nint)offset, length), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Enters the gate; whoever called leaves it.</summary>
    private UseGate Enter()
    {
        UseGate gate = Volatile.Read(ref _gate);
        if (!gate.TryEnter()) throw Unusable();
        return gate;
    }

    private void CheckRange(long offset, long length)
    {
        if ((ulong)offset > (ulong)Length || (ulong)length > (ulong)(Length - offset)) ThrowRange(offset, length);
    }

    [DoesNotReturn]
    private void ThrowRange(long offset, long length) => throw new ArgumentOutOfRangeException(
        nameof(offset), $"{length} bytes at offset {offset} don't lie in a segment of {Length} bytes.");

    private Exception Unusable() => Volatile.Read(ref _disposed) == 0 && _resizing
        ? new InvalidOperationException($"{Id} is being resized: wait for that first.")
        : new ObjectDisposedException(nameof(RumSegment), $"{Id} was disposed.");
}
