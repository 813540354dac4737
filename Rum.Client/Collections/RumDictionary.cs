using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Rum;

/// <summary>
/// A hash table in a segment: it outlives the program if its segment is named. Keys and values are unmanaged types, stored as their bytes; keys are
/// compared by their bytes, so that a key type with padding must keep it zero. Not for several threads at once, and one writer at a time.
/// Each call blocks its thread while a page is absent, and lets the garbage collector run on.
/// </summary>
/// <remarks>
/// Layout: a page with the header, then the slots: open addressing with linear probing, home slot = the hash's upper bits. So doubling the table moves
/// each entry from around slot s to around slot 2s, in place. A lookup reads a window of slots, mostly within one page.
/// </remarks>
public sealed partial class RumDictionary<TKey, TValue> : IAsyncDisposable where TKey : unmanaged where TValue : unmanaged
{
    private const int WindowBytes = 512;
    private const int MinCapacityLog2 = 6;

    private readonly RumSegment _segment;
    private readonly Slot[] _window;
    private readonly bool _ownsSegment;
    private Header _header;

    private RumDictionary(RumSegment segment, bool ownsSegment, in Header header)
    {
        _segment = segment;
        _ownsSegment = ownsSegment;
        _header = header;
        _window = new Slot[Math.Max(1, WindowBytes / SlotBytes)];
    }

    /// <summary>Entries.</summary>
    public long Count => _header.Count;

    /// <summary>Entries that fit before the table doubles.</summary>
    public long Capacity => LimitOf(_header.CapacityLog2);

    /// <summary>Reads or sets the value of a key; reading an absent one throws <see cref="KeyNotFoundException"/>.</summary>
    public TValue this[TKey key]
    {
        get => TryGetValue(key, out TValue value) ? value : throw new KeyNotFoundException($"The key {key} is not in the dictionary.");
        set => Set(key, value, replace: true);
    }

    /// <summary>Makes an empty dictionary in a segment of its own.</summary>
    /// <param name="client">The client.</param>
    /// <param name="capacity">Entries expected; it grows beyond.</param>
    /// <param name="allocation">Name, place and charging of the segment.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async ValueTask<RumDictionary<TKey, TValue>> CreateAsync(
        RumClient client, long capacity = 0, RumAllocation allocation = default, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        int log2 = MinCapacityLog2;
        while (LimitOf(log2) < capacity) log2++;
        RumSegment segment = await client.AllocateAsync(BytesOf(log2), allocation, cancellationToken).ConfigureAwait(false);
        Header header = new() { Magic = Magic, KeyBytes = Unsafe.SizeOf<TKey>(), ValueBytes = Unsafe.SizeOf<TValue>(), CapacityLog2 = log2 };
        segment.Write(0, header);
        return new RumDictionary<TKey, TValue>(segment, true, header);
    }

    /// <summary>Uses the dictionary in a segment, which stays its owner's.</summary>
    /// <exception cref="InvalidDataException">The segment holds none, or one of other types.</exception>
    public static RumDictionary<TKey, TValue> Open(RumSegment segment) => new(segment, false, ReadHeader(segment));

    /// <summary>Opens the dictionary of a named segment.</summary>
    public static async ValueTask<RumDictionary<TKey, TValue>> OpenAsync(
        RumClient client, string name, RumAccess access = RumAccess.Write, CancellationToken cancellationToken = default)
    {
        RumSegment segment = await client.OpenAsync(name, access, cancellationToken).ConfigureAwait(false);
        try
        {
            return new RumDictionary<TKey, TValue>(segment, true, ReadHeader(segment));
        }
        catch
        {
            await segment.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Adds an entry, or changes nothing and returns false when the key is there.</summary>
    public bool TryAdd(TKey key, TValue value) => Set(key, value, replace: false);

    /// <summary>Adds an entry; throws <see cref="ArgumentException"/> when the key is there.</summary>
    public void Add(TKey key, TValue value)
    {
        if (!TryAdd(key, value)) throw new ArgumentException($"The key {key} is in the dictionary already.", nameof(key));
    }

    /// <summary>Whether the key is there.</summary>
    public bool ContainsKey(TKey key) => TryGetValue(key, out _);

    /// <summary>The value of a key.</summary>
    public bool TryGetValue(TKey key, [MaybeNullWhen(false)] out TValue value) => Find(key, HashOf(key), out value, out _) >= 0;

    /// <summary>Removes an entry. False: it wasn't there.</summary>
    public bool Remove(TKey key)
    {
        long at = Find(key, HashOf(key), out _, out _);
        if (at < 0) return false;
        CloseGap(at);
        _header.Count--;
        WriteHeader();
        return true;
    }

    /// <summary>The entries, in no order that means anything. Changing the dictionary meanwhile makes some appear twice or not at all.</summary>
    public IEnumerable<KeyValuePair<TKey, TValue>> Entries()
    {
        Slot[] chunk = new Slot[1024];
        long slots = SlotsOf(_header.CapacityLog2);
        for (long first = 0; first < slots; first += chunk.Length)
        {
            int count = (int)Math.Min(chunk.Length, slots - first);
            ReadSlots(first, chunk.AsSpan(0, count));
            for (int i = 0; i < count; i++)
                if (chunk[i].Hash != 0) yield return new(chunk[i].Key, chunk[i].Value);
        }
    }

    /// <summary>Returns when everything is on the silos.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => _segment.FlushAsync(cancellationToken);

    /// <summary>Disposes the segment, unless it was given to <see cref="Open(RumSegment)"/>.</summary>
    public ValueTask DisposeAsync() => _ownsSegment ? _segment.DisposeAsync() : default;
}
