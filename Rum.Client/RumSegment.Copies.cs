using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Native;
using Rum.Session;

namespace Rum;

// Copies in and out. Resident pages are copied at once by the calling thread. Others are first made resident by a wait thread, which never sees
// the caller's buffer: so a cancelled call can end at once, although its pages still come.
public sealed partial class RumSegment
{
    // Pinned at once on behalf of one copy: large enough to fetch many pages in one go, small enough that 64 such calls fit a small cache.
    private const int CopyChunk = 64 * 1024;
    private const int BudgetRetryMs = 5;
    private const int BudgetRetries = 2_000;

    /// <summary>Copies out of the segment. Completes synchronously when the pages are resident; else it waits without holding up the garbage collector.</summary>
    /// <exception cref="RumUnavailableException">A page could not be had within the fault time-out.</exception>
    /// <exception cref="ShardLostException">No replica of a page is left.</exception>
    public ValueTask ReadAsync(long offset, Memory<byte> to, CancellationToken cancellationToken = default) => ReadAsync<byte>(offset, to, cancellationToken);

    /// <summary>Copies values out of the segment; <paramref name="offset"/> in bytes.</summary>
    public ValueTask ReadAsync<T>(long offset, Memory<T> to, CancellationToken cancellationToken = default) where T : unmanaged
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        long bytes = (long)to.Length * Unsafe.SizeOf<T>();
        CheckRange(offset, bytes);
        if (bytes > CopyChunk) return CopyAsync(offset, to, bytes, false, cancellationToken);
        UseGate gate = Enter();
        int code = Calls.TryRead(_address + (nint)offset, MemoryMarshal.AsBytes(to.Span));
        if (code == 0)
        {
            gate.Exit();
            return default;
        }

        return Unfinished(gate, code) ?? CopyAsync(offset, to, bytes, false, cancellationToken);
    }

    /// <summary>Copies into the segment. Completes synchronously when the pages are resident; else it waits without holding up the garbage collector.</summary>
    /// <exception cref="SegmentReadOnlyException">It is open for reading.</exception>
    /// <exception cref="RumUnavailableException">A page could not be had within the fault time-out.</exception>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> from, CancellationToken cancellationToken = default) =>
        WriteAsync<byte>(offset, from, cancellationToken);

    /// <summary>Copies values into the segment; <paramref name="offset"/> in bytes.</summary>
    public ValueTask WriteAsync<T>(long offset, ReadOnlyMemory<T> from, CancellationToken cancellationToken = default) where T : unmanaged
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        long bytes = (long)from.Length * Unsafe.SizeOf<T>();
        CheckRange(offset, bytes);
        CheckWritable();
        if (bytes > CopyChunk) return CopyAsync(offset, MemoryMarshal.AsMemory(from), bytes, true, cancellationToken);
        UseGate gate = Enter();
        int code = Calls.TryWrite(_address + (nint)offset, MemoryMarshal.AsBytes(from.Span));
        if (code == 0)
        {
            gate.Exit();
            return default;
        }

        return Unfinished(gate, code) ?? CopyAsync(offset, MemoryMarshal.AsMemory(from), bytes, true, cancellationToken);
    }

    /// <summary>Copies out of the segment, blocking this thread while pages are absent; the garbage collector runs on.</summary>
    public void Read(long offset, Span<byte> to)
    {
        CheckRange(offset, to.Length);
        UseGate gate = Enter();
        try
        {
            RumErrors.ThrowOnFailure(Calls.Read(_address + (nint)offset, to));
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>Copies into the segment, blocking this thread while pages are absent; the garbage collector runs on.</summary>
    public void Write(long offset, ReadOnlySpan<byte> from)
    {
        CheckRange(offset, from.Length);
        CheckWritable();
        UseGate gate = Enter();
        try
        {
            RumErrors.ThrowOnFailure(Calls.Write(_address + (nint)offset, from));
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>Reads one value; as <see cref="Read(long, Span{byte})"/>.</summary>
    public T Read<T>(long offset) where T : unmanaged
    {
        T value = default;
        Read(offset, MemoryMarshal.AsBytes(new Span<T>(ref value)));
        return value;
    }

    /// <summary>Writes one value; as <see cref="Write(long, ReadOnlySpan{byte})"/>.</summary>
    public void Write<T>(long offset, T value) where T : unmanaged => Write(offset, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>
    /// The bytes themselves. An access to a page that isn't resident is a page fault in managed code: it holds up every garbage collection of the
    /// process, and with it every thread, until the page is there. Not checked against disposal: using it afterwards ends the process.
    /// </summary>
    public Span<byte> DangerousGetSpan(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        CheckRange(offset, length);
        UseGate gate = Enter();
        nint address = _address + (nint)offset;
        gate.Exit();
        return NativeMemoryView.Bytes(address, length);
    }

    private async ValueTask CopyAsync<T>(long offset, Memory<T> buffer, long bytes, bool write, CancellationToken cancellationToken) where T : unmanaged
    {
        long done = 0;
        while (done < bytes)
        {
            int chunk = (int)Math.Min(bytes - done, CopyChunk - ((offset + done) & (Layout.PageSize - 1)));
            if (!TryCopy(offset + done, buffer, done, chunk, write))
            {
                chunk = await FetchAsync(offset + done, chunk, cancellationToken).ConfigureAwait(false);
                try
                {
                    if (!TryCopy(offset + done, buffer, done, chunk, write)) throw RumErrors.Create(RumError.Internal, "A pinned page is not resident.");
                }
                finally
                {
                    EndHold(offset + done, chunk);
                }
            }

            done += chunk;
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>False: a page is absent, and nothing was copied.</summary>
    private bool TryCopy<T>(long offset, Memory<T> buffer, long done, int count, bool write) where T : unmanaged
    {
        Span<byte> part = Part(buffer, done, count);
        UseGate gate = Enter();
        try
        {
            int code = write ? Calls.TryWrite(_address + (nint)offset, part) : Calls.TryRead(_address + (nint)offset, part);
            if (code == Calls.Absent) return false;
            RumErrors.ThrowOnFailure(code);
            return true;
        }
        finally
        {
            gate.Exit();
        }
    }

    /// <summary>
    /// Holds up to <paramref name="length"/> bytes on a wait thread and returns how many. Where the pins of others leave no room for all, it takes a page,
    /// and waits for that one: transient pins go by themselves, and the caller's own leave room by their budget.
    /// </summary>
    private async ValueTask<int> FetchAsync(long offset, int length, CancellationToken cancellationToken)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await _client.Waiters.RunAsync(new SegmentCall(Enter(), SegmentOperation.Hold, _address + (nint)offset, length), cancellationToken).ConfigureAwait(false);
                return length;
            }
            catch (PinBudgetExceededException) when (attempt < BudgetRetries)
            {
                int within = Layout.PageSize - (int)(offset & (Layout.PageSize - 1));
                if (length > within) length = within;
                else await Task.Delay(BudgetRetryMs, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A part of a buffer by its bytes; they may be more than a span of bytes can count, so whole values are cut out first.</summary>
    private static Span<byte> Part<T>(Memory<T> buffer, long done, int count) where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        int first = (int)(done / size), within = (int)(done % size);
        int values = (within + count + size - 1) / size;
        return MemoryMarshal.AsBytes(buffer.Span.Slice(first, values)).Slice(within, count);
    }

    /// <summary>Null: a page is absent. Leaves the gate.</summary>
    private static ValueTask? Unfinished(UseGate gate, int code)
    {
        Exception? failure = code == Calls.Absent ? null : RumErrors.LastFailure(code);
        gate.Exit();
        return failure is null ? null : ValueTask.FromException(failure);
    }

    private void CheckWritable()
    {
        if (Access == RumAccess.Read) throw RumErrors.Create(RumError.ReadOnly, $"{Id} is open for reading.");
    }
}
