using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using Rum.Core;
using Rum.FastPath.Frames;

namespace Rum.Unit.FastPath;

public sealed unsafe class FrameCodecTests
{
    [Theory]
    [InlineData("123456789", 0xE3069283)]
    [InlineData("", 0)]
    [InlineData("a", 0xC1D04330)]
    public void Crc_of_known_texts(string text, uint expected)
    {
        byte[] bytes = System.Text.Encoding.ASCII.GetBytes(text);
        fixed (byte* start = bytes) Assert.Equal(expected, Crc32C.Compute(start, bytes.Length));
    }

    [Theory]
    [InlineData(0x00, 0x8A9136AA)]
    [InlineData(0xFF, 0x62A8AB43)]
    public void Crc_of_32_equal_bytes_as_in_rfc_3720(byte value, uint expected)
    {
        byte* bytes = stackalloc byte[32];
        new Span<byte>(bytes, 32).Fill(value);
        Assert.Equal(expected, Crc32C.Compute(bytes, 32));
    }

    [Fact]
    public void Both_ways_to_the_crc_agree_at_every_length_and_alignment()
    {
        var bytes = new byte[4096 + 16];
        new Random(7).NextBytes(bytes);
        fixed (byte* start = bytes)
        {
            for (int length = 0; length <= 4096; length += length < 64 ? 1 : 61)
                for (int offset = 0; offset < 9; offset += 4)
                    Assert.Equal(~Crc32C.UpdateSoftware(~0u, start + offset, length), Crc32C.Compute(start + offset, length));
        }
    }

    [Fact]
    public void Any_flipped_bit_is_found()
    {
        byte* frame = stackalloc byte[FrameHeader.Size + 512];
        var header = (FrameHeader*)frame;
        byte* payload = frame + FrameHeader.Size;
        FrameCodec.Start(header, FrameType.Control);
        FrameCodec.SetFragment(header, 512, 512, 0);
        header->Sequence = 99;
        FrameCodec.Seal(header, payload, checksummed: true);
        Assert.Equal(FrameFault.None, FrameCodec.Check(frame, payload, 512, checksummed: true));
        for (int bit = 0; bit < (FrameHeader.Size + 512) * 8; bit++)
        {
            int at = bit / 8;
            if (at >= 112 && at < 128) continue; // the tag has its own guard
            frame[at] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(FrameFault.None, FrameCodec.Check(frame, payload, 512, checksummed: true));
            frame[at] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Fragments_of_any_message_pass_and_tile_it() => Prop.ForAll(
        Gen.Choose(1, FrameCodec.ControlMessageBytesMax).Zip(Gen.Choose(1024, 9000)).ToArbitrary(),
        pair =>
        {
            (int length, int maxPayload) = pair;
            FrameHeader header;
            int at = 0, count = FrameCodec.FragmentsFor(length, maxPayload);
            for (int i = 0; i < count; i++)
            {
                FrameCodec.Start(&header, FrameType.Control);
                int part = FrameCodec.SetFragment(&header, length, maxPayload, i);
                if (header.FragmentOffset != at || FrameCodec.Check((byte*)&header, null, part, false) != FrameFault.None) return false;
                at += part;
            }
            return at == length;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Contradictions_are_named()
    {
        Expect(FrameFault.None, _ => { });
        Expect(FrameFault.Magic, h => h->Magic = 1);
        Expect(FrameFault.Version, h => h->Version = 9);
        Expect(FrameFault.Granule, h => h->Granule = 21);
        Expect(FrameFault.Type, h => h->Type = FrameType.Answer);
        Expect(FrameFault.Type, h => h->Type = FrameType.None);
        Expect(FrameFault.Length, h => h->Length = 7);
        Expect(FrameFault.Length, h => h->MessageLength = 7);
        Expect(FrameFault.Range, h => h->Count = 0);
        Expect(FrameFault.Range, h => h->Page = FrameCodec.PagesMax);
        Expect(FrameFault.Range, h => (h->Page, h->Count) = (Layout.PagesPerExtent - 1, 2));
        Expect(FrameFault.Fragment, h => h->FragmentCount = 0);
        Expect(FrameFault.Fragment, h => h->FragmentIndex = 1);
        Expect(FrameFault.Fragment, h => h->FragmentOffset = 1);
        Expect(FrameFault.Encoding, h => (h->Type, h->Encoding) = (FrameType.Write, PayloadEncoding.Compressed));
        Expect(FrameFault.Length, h => (h->Type, h->Encoding) = (FrameType.Write, PayloadEncoding.Raw));
    }

    private delegate void Change(FrameHeader* header);

    private static void Expect(FrameFault fault, Change change)
    {
        FrameHeader header;
        FrameCodec.Start(&header, FrameType.Read);
        change(&header);
        Assert.Equal(fault, FrameCodec.Check((byte*)&header, null, 0, checksummed: false));
    }
}
