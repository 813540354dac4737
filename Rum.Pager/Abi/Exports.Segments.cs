using System.Runtime.InteropServices;
using System.Text;
using Rum.Core;
using Rum.Core.Council;
using Rum.Pager.Session;

namespace Rum.Pager.Abi;

// Segments of their own. Keys are HASH_TYPE, places are Location, both by address.
internal static unsafe partial class Exports
{
    private const int IpBytes = 45;
    private const int MacBytes = 6;
    private const uint FlagSparse = 1;
    private const uint FlagRacks = 2;
    private const int CopiesShift = 8;
    private const uint CopiesMask = 0xFu << CopiesShift;

    private static SegmentFlags FlagsOf(uint flags)
    {
        if ((flags & ~(FlagSparse | FlagRacks | CopiesMask)) != 0)
            throw new RumException(RumError.InvalidArgument, $"the flags {flags:x} are unknown; there are RUM_SPARSE, RUM_RACKS and RUM_COPIES(n).");
        return ((flags & FlagSparse) != 0 ? SegmentFlags.Sparse : SegmentFlags.None) | ((flags & FlagRacks) != 0 ? SegmentFlags.Racks : SegmentFlags.None);
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_alloc_segment")]
    private static nint AllocateSegment(nuint size, byte* key, byte* locations, int count, uint flags)
    {
        try
        {
            RumRuntime runtime = Runtime;
            SegmentFlags kind = FlagsOf(flags);
            UInt128 named = key == null ? UInt128.Zero : ReadKey(key).Value;
            Span<SiloId> silos = stackalloc SiloId[count];
            for (int i = 0; i < count; i++)
            {
                silos[i] = SiloAt(runtime, locations + (i * (IpBytes + MacBytes)));
                // Of one place "anywhere" is an answer; of several it would make one copy fewer.
                if (count > 1 && silos[i].Value == 0) throw new RumException(RumError.InvalidArgument, "a location without address can't be one of several.");
            }
            return runtime.AllocateSegment(size, named, SiloSet.Of(silos), kind, (int)((flags & CopiesMask) >> CopiesShift));
        }
        catch (Exception failure)
        {
            return Null(failure);
        }
    }

    private static SiloId SiloAt(RumRuntime runtime, byte* location)
    {
        var ip = new ReadOnlySpan<byte>(location, IpBytes);
        int end = ip.IndexOf((byte)0);
        return runtime.FindSilo(Encoding.UTF8.GetString(end < 0 ? ip : ip[..end]), new ReadOnlySpan<byte>(location + IpBytes, MacBytes));
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_free_key")]
    private static int FreeKey(nint address, byte* key)
    {
        try
        {
            Runtime.FreeKey(address, ReadKey(key).Value);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_get")]
    private static nint Get(byte* key)
    {
        try
        {
            return Runtime.OpenSegment(ReadKey(key).Value, OpenMode.WriteElseRead, out _);
        }
        catch (Exception failure)
        {
            return Null(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_open")]
    private static nint Open(byte* name, int mode, nuint* size)
    {
        try
        {
            string text = Marshal.PtrToStringUTF8((nint)name) ?? "";
            if (text.Length == 0) throw new RumException(RumError.InvalidArgument, "the name of a segment is empty.");
            if (mode is < 0 or > 2) throw new RumException(RumError.InvalidArgument, $"the mode {mode} is unknown; there are RUM_READ, RUM_WRITE and RUM_WRITE_ELSE_READ.");
            if (!SegmentKey.TryParse(text, out SegmentKey key) || key.IsAnonymous) key = SegmentKey.FromName(text);
            nint address = Runtime.OpenSegment(key.Value, (OpenMode)mode, out long bytes);
            if (size != null) *size = (nuint)bytes;
            return address;
        }
        catch (Exception failure)
        {
            return Null(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_close")]
    private static int Close(nint address)
    {
        try
        {
            Runtime.Close(address);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    private static SegmentKey ReadKey(byte* key)
    {
        var digits = new ReadOnlySpan<byte>(key, SegmentKey.TextLength);
        string text = Encoding.Latin1.GetString(digits);
        if (SegmentKey.TryParse(text, out SegmentKey parsed) && !parsed.IsAnonymous) return parsed;
        throw new RumException(RumError.InvalidArgument, "a HASH_TYPE holds 32 hex digits, not all of them 0; rum_key makes one of a name.");
    }

    private static void WriteKey(SegmentKey key, byte* to)
    {
        Encoding.ASCII.GetBytes(key.ToString(), new Span<byte>(to, SegmentKey.TextLength));
        to[SegmentKey.TextLength] = 0;
    }
}
