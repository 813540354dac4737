using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rum.Native;

/// <summary>
/// The part of librum.so that the .NET API uses, under its C names. Every function but the counters returns a <c>RumError</c> number, 0 for
/// success; the text of the last failure of the calling thread is <see cref="rum_last_error"/>. None of them calls back into managed code.
/// "Blocks" means: may wait for a round trip, a page or, at worst, for ever; the garbage collector runs on meanwhile.
/// </summary>
internal static unsafe partial class LibRum
{
    private const string Library = "rum";

    /// <summary>Sets one of the settings that <see cref="rum_init"/> else takes from the environment, under the environment's name; null unsets it.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rum_client_configure(string name, string? value);

    /// <summary>Starts the process's runtime and session. Blocks. AlreadyInitialized: there is one.</summary>
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rum_init(string? machines);

    /// <summary>Flushes what is named, frees what is anonymous, ends the session. Blocks.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_end();

    /// <summary>0 while the session lives, else the error that each call answers from now on.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_state();

    /// <summary>Makes a segment of its own and maps it. Blocks.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_allocate(AllocateRequest* request, MappedSegment* segment);

    /// <summary>Opens a named segment and maps it. Blocks.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_open(ulong keyHigh, ulong keyLow, int write, MappedSegment* segment);

    /// <summary>Frees a named segment. Blocks. NotFound: there is none.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_delete(ulong keyHigh, ulong keyLow);

    /// <summary>Named: flushes, unmaps and closes. Anonymous: frees. Blocks.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_close(nint address);

    /// <summary>Changes the length; the segment may stand elsewhere afterwards. Blocks. No other call may use the segment meanwhile.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_resize(nint address, long bytes, MappedSegment* segment);

    /// <summary>Drops the clean local pages, so that later reads see at least the writer's last flush. Blocks.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_refresh(nint address);

    /// <summary>Returns when every earlier store to the range is acknowledged; address and length 0: to everything. Blocks.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_flush(nint address, nuint length);

    /// <summary>Flushes everything and empties the cache. Blocks.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_flush_cache();

    /// <summary>Starts fetching a range.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_prefetch(nint address, nuint length);

    /// <summary>Makes a range resident and keeps it so. Blocks. PinBudgetExceeded: the cache can't hold it beside the other pins.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_pin(nint address, nuint length);

    /// <summary>Ends one pin of exactly this range.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_unpin(nint address, nuint length);

    /// <summary>As <see cref="rum_pin"/> for as long as a copy takes, from the part of the cache that lasting pins leave to copies.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_hold(nint address, long length);

    /// <summary>Ends a <see cref="rum_client_hold"/>; without the pager.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_end_hold(nint address, long length);

    /// <summary>Keeps a range resident when all of it is, else Pending at once. Without the pager, so it takes well below 100 ns.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_try_pin(nint address, long length);

    /// <summary>Ends what <see cref="rum_client_try_pin"/> began.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_try_unpin(nint address, long length);

    /// <summary>Copies out of remote memory. Blocks where pages are absent.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_read(nint address, void* to, long length);

    /// <summary>As <see cref="rum_client_read"/> when the whole range is resident, else Pending at once and nothing copied.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_try_read(nint address, void* to, long length);

    /// <summary>Copies into remote memory. Blocks where pages are absent.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_write(nint address, void* from, long length);

    /// <summary>As <see cref="rum_client_write"/> when the whole range is resident, else Pending at once and nothing copied.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_try_write(nint address, void* from, long length);

    /// <summary>Counters as of now.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_client_statistics(ClientStatistics* statistics);

    /// <summary>The text of this thread's last failure, UTF-8; owned by the library, valid until the thread's next call.</summary>
    [LibraryImport(Library)]
    internal static partial byte* rum_last_error();

    /// <summary>Allocates from the heap of anonymous memory; 0 for failure. Mostly without a round trip.</summary>
    [LibraryImport(Library)]
    internal static partial nint rum_alloc(nuint size);

    /// <summary>As <see cref="rum_alloc"/> at a multiple of a power of two.</summary>
    [LibraryImport(Library)]
    internal static partial nint rum_aligned_alloc(nuint alignment, nuint size);

    /// <summary>Allocates zeros.</summary>
    [LibraryImport(Library)]
    internal static partial nint rum_calloc(nuint count, nuint size);

    /// <summary>Makes an allocation larger or smaller, in place or elsewhere.</summary>
    [LibraryImport(Library)]
    internal static partial nint rum_realloc(nint address, nuint size);

    /// <summary>Frees anything that an allocating call returned.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_free(nint address);

    /// <summary>Usable bytes of an allocation; 0 for a wrong address.</summary>
    [LibraryImport(Library)]
    internal static partial nuint rum_usable_size(nint address);

    /// <summary>The code of this thread's last failure.</summary>
    [LibraryImport(Library)]
    internal static partial int rum_last_error_code();
}
