using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Tracing;

/// <summary>
/// A ring of moments in a file, which outlives a process that is killed: nanoseconds of CLOCK_MONOTONIC times 16 plus a <see cref="Stage"/>, 8 bytes each, the newest over the oldest. Nobody
/// has one unless asked; then a note costs a look at the clock. Written by one thread; what two write at once may be lost.
/// </summary>
public sealed unsafe class StageTrace
{
    /// <summary>Records in a file.</summary>
    public const int Records = 1 << 20;

    /// <summary>A record is nanoseconds shifted by so much, and the stage.</summary>
    public const int StageBits = 4;

    private static readonly ConcurrentDictionary<string, StageTrace> Opened = new();

    private readonly MemoryMapping _mapping;
    private readonly long* _records;
    private uint _next;

    private StageTrace(string path)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.SetLength(file, (long)Records * sizeof(long));
        // There at once, so that no note waits for the kernel.
        _mapping = new MemoryMapping((long)Records * sizeof(long), Mappings.PROT_READ | Mappings.PROT_WRITE, Mappings.MAP_SHARED | Mappings.MAP_POPULATE, (int)file.DangerousGetHandle());
        _records = (long*)_mapping.Pointer;
    }

    /// <summary>The trace in this file: one for a process's life, made anew with the first call. Throws <see cref="IOException"/>.</summary>
    public static StageTrace Of(string path) => Opened.GetOrAdd(path, static path => new StageTrace(path));

    /// <summary>Notes that something happens now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Note(Stage stage) => _records[_next++ & (Records - 1)] = (MonotonicClock.NowNs << StageBits) | (long)stage;
}
