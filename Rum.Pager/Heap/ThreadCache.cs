using System.Runtime.InteropServices;
using System.Text.Unicode;
using Rum.Core;

namespace Rum.Pager.Heap;

/// <summary>
/// One thread's objects at hand, in local native memory, with what the fast path needs of its heap beside them, so that an allocation reads
/// one thread-local pointer and then plain memory. Used by its thread only; by the reaper once that thread is gone.
/// </summary>
internal unsafe struct ThreadCache
{
    /// <summary>The heap that the rest is about; 0: none.</summary>
    public ulong HeapId;

    /// <summary>The heap's first address.</summary>
    public nint Base;

    /// <summary>The heap's reserved bytes.</summary>
    public nuint Reserved;

    /// <summary>See <see cref="SpanTable.Map"/>.</summary>
    public uint* Map;

    /// <summary>See <see cref="SpanTable.Spans"/>.</summary>
    public HeapSpan* Spans;

    /// <summary>The kernel's number of the thread.</summary>
    public int ThreadId;

    /// <summary>The thread's last error, a <see cref="RumError"/>.</summary>
    public int Error;

    /// <summary>The thread's last error in words, UTF-8 with a zero at the end.</summary>
    public fixed byte Message[MessageBytes];

    /// <summary>Room for the words of an error.</summary>
    public const int MessageBytes = 1024;

    /// <summary>The class caches stand right behind this struct.</summary>
    public static ClassCache* Classes(ThreadCache* cache) => (ClassCache*)(cache + 1);

    /// <summary>Keeps the thread's last error; words that don't fit are cut off.</summary>
    public static void SetError(ThreadCache* cache, RumError error, ReadOnlySpan<char> words)
    {
        cache->Error = (int)error;
        var room = new Span<byte>(cache->Message, MessageBytes - 1);
        Utf8.FromUtf16(words, room, out _, out int written);
        cache->Message[written] = 0;
    }

    /// <summary>Makes an empty cache in zeroed local memory. Never freed: it is reused by later threads.</summary>
    public static ThreadCache* Create()
    {
        long entries = 0;
        for (int i = 0; i < SizeClasses.Count; i++) entries += SizeClasses.CacheCapacity(i);
        long head = sizeof(ThreadCache) + SizeClasses.Count * (long)sizeof(ClassCache);
        byte* memory = (byte*)NativeReserve.Take(head + entries * sizeof(CachedObject));
        var cache = (ThreadCache*)memory;
        var next = (CachedObject*)(memory + head);
        for (int i = 0; i < SizeClasses.Count; i++)
        {
            ClassCache* of = Classes(cache) + i;
            of->Entries = next;
            of->Capacity = SizeClasses.CacheCapacity(i);
            of->Batch = ClassCache.FirstBatch;
            next += of->Capacity;
        }
        return cache;
    }
}

/// <summary>A thread's stack of objects of one class.</summary>
internal unsafe struct ClassCache
{
    /// <summary>Objects fetched at first; doubled at each refill up to half of the capacity.</summary>
    public const int FirstBatch = 4;

    /// <summary>The stack.</summary>
    public CachedObject* Entries;

    /// <summary>Objects in it.</summary>
    public int Count;

    /// <summary>Objects that fit.</summary>
    public int Capacity;

    /// <summary>How many the next refill fetches.</summary>
    public int Batch;

    /// <summary>Objects handed to the program since the cache was bound.</summary>
    public long Allocated;

    /// <summary>Objects taken back from the program.</summary>
    public long Freed;
}

/// <summary>An object at hand and where its state stands, so that handing it out needs no look-up.</summary>
internal unsafe struct CachedObject
{
    /// <summary>The object.</summary>
    public nint Address;

    /// <summary>Its <see cref="ObjectState"/>.</summary>
    public byte* State;
}

/// <summary>Who is who among threads, as the kernel numbers them.</summary>
internal static partial class ThreadIds
{
    /// <summary>The calling thread.</summary>
    public static int Current => GetTid();

    /// <summary>Whether a thread of this process with that number exists. A number may have been given to a later thread.</summary>
    public static bool Exists(int thread) => TgKill(GetPid(), thread, 0) == 0;

    [LibraryImport("libc", EntryPoint = "gettid")]
    [SuppressGCTransition]
    private static partial int GetTid();

    [LibraryImport("libc", EntryPoint = "getpid")]
    [SuppressGCTransition]
    private static partial int GetPid();

    [LibraryImport("libc", EntryPoint = "tgkill")]
    private static partial int TgKill(int process, int thread, int signal);
}
