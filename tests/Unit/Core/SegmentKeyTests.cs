using System.Text;
using Rum.Core;

namespace Rum.Tests.Unit.Core;

public sealed class SegmentKeyTests
{
    [Fact]
    public void The_key_of_a_name_is_the_head_of_its_SHA_256()
    {
        // FIPS 180-2, appendix B.1.
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223", SegmentKey.FromName("abc").ToString());
        Assert.NotEqual(SegmentKey.FromName("abc"), SegmentKey.FromName("abd"));
        Assert.Throws<ArgumentException>(() => SegmentKey.FromName(""));
    }

    [Theory]
    [InlineData("0123456789abcdefFEDCBA9876543210", true)]
    [InlineData("00000000000000000000000000000000", true)]
    [InlineData("0123456789abcdefFEDCBA987654321", false)]
    [InlineData("0123456789abcdefFEDCBA98765432100", false)]
    [InlineData("0123456789abcdefFEDCBA987654321g", false)]
    [InlineData(" 123456789abcdefFEDCBA9876543210", false)]
    [InlineData("+123456789abcdefFEDCBA9876543210", false)]
    [InlineData("", false)]
    public void Only_32_hex_digits_parse(string text, bool good)
    {
        Assert.Equal(good, SegmentKey.TryParse(text, out SegmentKey key));
        if (good)
        {
            Assert.Equal(text.ToLowerInvariant(), key.ToString());
            Assert.Equal(key.IsAnonymous, text.All(static digit => digit == '0'));
            Assert.Equal(key, SegmentKey.Parse(text));
        }
        else Assert.Throws<FormatException>(() => SegmentKey.Parse(text));
    }

    [Fact]
    public void The_first_digit_is_the_most_significant()
    {
        Assert.Equal(UInt128.One << 124, SegmentKey.Parse("10000000000000000000000000000000").Value);
    }

    [Theory]
    [InlineData(0L, "0 B")]
    [InlineData(1023L, "1023 B")]
    [InlineData(1536L, "1.5 KiB")]
    [InlineData(512L << 20, "512 MiB")]
    [InlineData(1L << 44, "16 TiB")]
    [InlineData(long.MaxValue, "8 EiB")]
    public void Byte_counts_read_well(long bytes, string text) => Assert.Equal(text, ByteText.Format(bytes));
}
