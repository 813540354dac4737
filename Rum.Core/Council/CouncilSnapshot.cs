using System.Diagnostics.CodeAnalysis;
using Rum.Core.Wire;

namespace Rum.Core.Council;

/// <summary>
/// The whole state of a <see cref="CouncilMachine"/> as bytes: what a checkpoint holds. Equal states give equal bytes. Versioned here, checksummed by
/// the store.
/// </summary>
public static class CouncilSnapshot
{
    private const uint Magic = 0x534D5552; // "RUMS"
    private const ushort Version = 4;
    private const int BytesAtFirst = 1 << 17;

    /// <summary>Encodes the state after <see cref="CouncilMachine.Decree"/>.</summary>
    public static byte[] Encode(CouncilMachine machine)
    {
        for (int size = BytesAtFirst; ; size = checked(size * 2))
        {
            byte[] buffer = new byte[size];
            var to = new SpanWriter(buffer);
            to.U32(Magic);
            to.U16(Version);
            machine.WriteState(ref to);
            if (!to.Overflowed) return buffer[..to.Length];
        }
    }

    /// <summary>Decodes a state; false when the bytes are none, or of another version, or contradict themselves.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CouncilMachine? machine)
    {
        var from = new SpanReader(bytes);
        machine = from.U32() == Magic && from.U16() == Version ? CouncilMachine.ReadState(ref from) : null;
        if (from.Failed || from.Remaining != 0) machine = null;
        return machine is not null;
    }
}
