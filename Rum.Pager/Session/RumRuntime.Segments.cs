using System.Net;
using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;

namespace Rum.Pager.Session;

// Segments of their own: named ones, and anonymous ones at a place.
internal sealed partial class RumRuntime
{
    // So that a segment can grow where it stands.
    private const long ReservedMin = 16L << 30;

    /// <summary>Creates a segment and maps it. <paramref name="key"/> zero: anonymous; <paramref name="silos"/> empty: anywhere; <paramref name="copies"/> 0: as the process or the cluster is set.</summary>
    public nint AllocateSegment(nuint size, UInt128 key, SiloSet silos, SegmentFlags flags, int copies)
    {
        if (size == 0 || size > (ulong)Layout.MaxSegmentSize)
        {
            throw new RumException(RumError.InvalidArgument, $"{size} bytes were asked for; a segment has 1 byte to {Layout.MaxSegmentSize >> 40} TiB.");
        }
        if (!silos.IsSound) throw new RumException(RumError.InvalidArgument, "an allocation names each of its silos once.");
        SegmentResult made = Opened(_council.Execute(new Allocate(_council.Session, key, (long)size, copies != 0 || silos.Count > 0 ? (byte)copies : Settings.Copies, flags, silos)));
        try
        {
            return Map(made, fresh: true);
        }
        catch (RumException)
        {
            _council.Execute(new Free(_council.Session, made.Segment, UInt128.Zero));
            throw;
        }
    }

    /// <summary>Maps a named segment; an opened one again at the same address.</summary>
    public nint OpenSegment(UInt128 key, OpenMode mode, out long bytes)
    {
        MappedSegment? mapped = _segments.BeginOpen(key, known =>
        {
            if (mode == OpenMode.Write && !known.Writable)
            {
                throw new RumException(RumError.ReadOnly, $"the segment {new SegmentKey(key)} is open read-only in this process already; close it first.");
            }
            known.Opens++;
        });
        if (mapped is not null)
        {
            bytes = mapped.Bytes;
            return mapped.Address;
        }
        try
        {
            SegmentResult opened = Opened(_council.Execute(new Open(_council.Session, key, mode)));
            bytes = opened.Size;
            try
            {
                return Map(opened, fresh: false);
            }
            catch (RumException)
            {
                _council.Execute(new Close(_council.Session, opened.Segment));
                throw;
            }
        }
        finally
        {
            _segments.EndOpen(key);
        }
    }

    /// <summary>Writes a segment back and unmaps it.</summary>
    public void Close(nint address) => Close(_segments.At(address) ?? throw BadPointer(address));

    /// <summary>Frees a named segment. <paramref name="address"/> 0: wherever it is mapped, if it is.</summary>
    public void FreeKey(nint address, UInt128 key)
    {
        MappedSegment? mapped = _segments.WithKey(key);
        if (address != 0 && mapped?.Address != address)
        {
            throw new RumException(RumError.BadPointer, $"the segment {new SegmentKey(key)} is not mapped at 0x{address:x}.");
        }
        if (mapped is not null) FreeSegment(mapped);
        else ThrowIfRefused(_council.Execute(new Free(_council.Session, default, key)));
    }

    /// <summary>The silo at a place; 0 for anywhere. Throws UnknownSilo.</summary>
    public SiloId FindSilo(string ip, ReadOnlySpan<byte> mac)
    {
        bool anyMac = !mac.ContainsAnyExcept((byte)0);
        if (ip.Length == 0 && anyMac) return default;
        string macText = anyMac ? "" : $"{mac[0]:x2}:{mac[1]:x2}:{mac[2]:x2}:{mac[3]:x2}:{mac[4]:x2}:{mac[5]:x2}";
        foreach (Member member in _council.View.Members)
        {
            bool there = ip.Length == 0
                ? macText.Equals(member.Mac, StringComparison.OrdinalIgnoreCase)
                : ip == member.Endpoint || (IPEndPoint.TryParse(member.Endpoint, out IPEndPoint? endpoint) && ip == endpoint.Address.ToString());
            if (there && member.State == MemberState.Up) return member.Id;
        }
        throw new RumException(
            RumError.UnknownSilo,
            $"no silo of the cluster is at '{(ip.Length > 0 ? ip : macText)}'; there are: {string.Join(", ", _council.View.Members.Select(static member => member.Endpoint))}.");
    }

    private nint Map(SegmentResult segment, bool fresh)
    {
        bool writable = segment.Token != 0;
        long reserved = Math.Min(Math.Max(segment.Size * 2, segment.Size + ReservedMin), Layout.MaxSegmentSize);
        var handle = new SegmentHandle(segment.Segment, segment.Token, segment.FirstShard, segment.Flags);
        RumError error = _pager.Map(new RegionOptions(handle, reserved, segment.Size, !writable, fresh), out nint address, out Incarnation silent);
        if (error == RumError.Timeout && silent.Value != 0)
        {
            throw new RumException(
                error,
                $"{segment.Segment} can't be opened for writing: the silo {NameOf(_council.View, silent)} holds some of it and doesn't answer, and its former writer may still write there. " +
                "Try again when 'rum status' says that the silo is back or has been replaced, or open it read-only.");
        }
        if (error != RumError.None) throw new RumException(error, $"{segment.Segment} of {segment.Size} bytes could not be mapped: {Words(error)}");
        _segments.Add(new MappedSegment
        {
            Address = address,
            Segment = segment.Segment,
            Key = segment.Key,
            Writable = writable,
            ReservedBytes = reserved,
            Bytes = segment.Size,
        });
        return address;
    }

    private void Close(MappedSegment segment)
    {
        if (segment.Key == UInt128.Zero)
        {
            FreeSegment(segment);
            return;
        }
        if (!_segments.Take(segment)) throw BadPointer(segment.Address);
        try
        {
            if (segment.Opens > 1)
            {
                segment.Opens--;
                return;
            }
            RumError error = _pager.Unmap(segment.Address, writeBack: segment.Writable);
            // It is mapped still, and open: the close can be called again.
            if (error == RumError.Timeout) throw new RumException(error, $"{segment.Segment} could not be written back and stays open: {Words(error)}");
            _segments.Remove(segment);
            Result closed = _council.Execute(new Close(_council.Session, segment.Segment));
            Check(error, $"{segment.Segment} could not be written back");
            ThrowIfRefused(closed);
        }
        finally
        {
            _segments.GiveBack(segment);
        }
    }

    private void FreeSegment(MappedSegment segment)
    {
        if (!_segments.Take(segment)) throw BadPointer(segment.Address);
        try
        {
            Check(_pager.Unmap(segment.Address, writeBack: false), $"{segment.Segment} could not be unmapped");
            _segments.Remove(segment);
            ThrowIfRefused(_council.Execute(new Free(_council.Session, segment.Segment, UInt128.Zero)));
        }
        finally
        {
            _segments.GiveBack(segment);
        }
    }

    private nint ResizeSegment(MappedSegment segment, nuint size)
    {
        if (size == 0 || size > (ulong)segment.ReservedBytes)
        {
            throw new RumException(RumError.InvalidArgument, $"{segment.Segment} can't become {size} bytes: it has 1 byte to {segment.ReservedBytes} where it is mapped.");
        }
        if (!segment.Writable) throw new RumException(RumError.ReadOnly, $"{segment.Segment} is open read-only.");
        if (!_segments.Take(segment)) throw BadPointer(segment.Address);
        try
        {
            // Whoever has it open beside would go on by the old size, and meet nothing where it was cut off.
            if (segment.Opens > 1) throw new RumException(RumError.SegmentBusy, $"{segment.Segment} is open {segment.Opens} times in this process; close it elsewhere before it is resized.");
            return ResizeTaken(segment, size);
        }
        finally
        {
            _segments.GiveBack(segment);
        }
    }

    private nint ResizeTaken(MappedSegment segment, nuint size)
    {
        // Grow at the silos first, shrink there last: what is accessible is always charged.
        bool grows = (long)size > segment.Bytes;
        if (!grows) ClearTail(segment, (long)size);
        if (grows) Opened(_council.Execute(new Resize(_council.Session, segment.Segment, (long)size)));
        Check(_pager.Resize(segment.Address, (long)size), $"{segment.Segment} could not be resized");
        if (!grows) Opened(_council.Execute(new Resize(_council.Session, segment.Segment, (long)size)));
        segment.Bytes = (long)size;
        return segment.Address;
    }

    /// <summary>What is cut off inside the last page reads as zeros when the segment grows again, as after ftruncate.</summary>
    private unsafe void ClearTail(MappedSegment segment, long size)
    {
        long tail = Math.Min(Layout.PagesFor(size) << Layout.PageShift, segment.Bytes) - size;
        if (tail <= 0) return;
        byte* zeros = stackalloc byte[Layout.PageSize];
        new Span<byte>(zeros, Layout.PageSize).Clear();
        Copy(segment.Address + (nint)size, (nint)zeros, tail, write: true);
    }

    private static SegmentResult Opened(Result result)
    {
        ThrowIfRefused(result);
        return result as SegmentResult ?? throw new RumException(RumError.Internal, $"the council answered {result.GetType().Name} where a segment was due.");
    }

    private static void ThrowIfRefused(Result result)
    {
        if (result.Error != RumError.None) throw new RumException(result.Error, result.Message);
    }
}
