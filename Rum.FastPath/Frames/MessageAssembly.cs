namespace Rum.FastPath.Frames;

/// <summary>
/// Joins the fragments of one control message. A control frame carries the CRC32C of the whole message in its sequence field, so fragments of two
/// different answers to the same request (an answer may change between resends) are never joined.
/// </summary>
public sealed unsafe class MessageAssembly
{
    private readonly ulong[] _have = new ulong[4];
    private byte[] _message = [];
    private uint _fragmentSize;
    private ulong _sum;
    private int _missing;

    /// <summary>Whether a message has been begun.</summary>
    public bool Active { get; private set; }

    /// <summary>The session of the message begun.</summary>
    public ulong Session { get; private set; }

    /// <summary>Its slot.</summary>
    public uint Slot { get; private set; }

    /// <summary>Its counter.</summary>
    public uint Counter { get; private set; }

    /// <summary>Forgets what has come.</summary>
    public void Reset()
    {
        Active = false;
        _message = [];
    }

    /// <summary>The message of a frame that is not fragmented; null when its sum is wrong.</summary>
    public static byte[]? Single(FrameHeader* header, byte* payload) =>
        Crc32C.Compute(payload, header->Length) == header->Sequence ? new ReadOnlySpan<byte>(payload, header->Length).ToArray() : null;

    /// <summary>
    /// Takes in a fragment that <see cref="FrameCodec.Check"/> passed; one that doesn't belong to the message begun begins another. Returns
    /// the message when it is whole and its sum right, else null.
    /// </summary>
    public byte[]? Add(FrameHeader* header, byte* payload)
    {
        if (header->FragmentCount == 1) return Single(header, payload);
        uint size = FrameCodec.FragmentSize(header);
        if (!Active || Session != header->Session || Slot != header->Slot || Counter != header->Counter || _sum != header->Sequence
            || _message.Length != header->MessageLength || _fragmentSize != size)
        {
            Active = true;
            (Session, Slot, Counter, _sum, _fragmentSize) = (header->Session, header->Slot, header->Counter, header->Sequence, size);
            _message = new byte[header->MessageLength];
            _missing = header->FragmentCount;
            Array.Clear(_have);
        }
        ulong bit = 1UL << (header->FragmentIndex & 63);
        ref ulong word = ref _have[header->FragmentIndex >> 6];
        if ((word & bit) != 0) return null;
        word |= bit;
        new ReadOnlySpan<byte>(payload, header->Length).CopyTo(_message.AsSpan((int)header->FragmentOffset));
        if (--_missing > 0) return null;
        byte[] message = _message;
        Reset();
        fixed (byte* start = message) return Crc32C.Compute(start, message.Length) == header->Sequence ? message : null;
    }
}
