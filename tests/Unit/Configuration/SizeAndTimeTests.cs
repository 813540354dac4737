using FsCheck;
using FsCheck.Fluent;
using Rum.Core.Configuration;

namespace Rum.Unit.Tests.Configuration;

public sealed class SizeAndTimeTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("4096", 4096L)]
    [InlineData("4K", 4096L)]
    [InlineData("512M", 512L << 20)]
    [InlineData("1GiB", 1L << 30)]
    [InlineData("1.5g", 3L << 29)]
    [InlineData(" 2 TB ", 2L << 40)]
    [InlineData("7B", 7L)]
    public void ReadsSizes(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("G")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("4X")]
    [InlineData("4GG")]
    [InlineData("1..5G")]
    [InlineData("9999999999T")]
    [InlineData("99999999999999999999999999999999999")]
    public void RefusesWhatIsNoSize(string? text) => Assert.False(ByteSize.TryParse(text, out _));

    [Fact]
    public void ExactIsReadBack() => Prop.ForAll(
        ArbMap.Default.ArbFor<long>().Filter(n => n >= 0),
        n => ByteSize.TryParse(ByteSize.Exact(n), out long back) && back == n).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(1L << 30, "1 GiB", "1GiB")]
    [InlineData(3L << 29, "1.5 GiB", "1536MiB")]
    [InlineData(1000L, "1000 B", "1000")]
    public void WritesSizes(long bytes, string forPeople, string exact)
    {
        Assert.Equal(forPeople, ByteSize.Format(bytes));
        Assert.Equal(exact, ByteSize.Exact(bytes));
    }

    [Theory]
    [InlineData("10s", 10_000)]
    [InlineData("10", 10_000)]
    [InlineData("250ms", 250)]
    [InlineData("2m", 120_000)]
    [InlineData("1.5s", 1500)]
    public void ReadsTimes(string text, int milliseconds)
    {
        Assert.True(TimeSpanText.TryParse(text, out TimeSpan time));
        Assert.Equal(milliseconds, time.TotalMilliseconds);
        Assert.True(TimeSpanText.TryParse(TimeSpanText.Format(time), out TimeSpan back));
        Assert.Equal(time, back);
    }

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-1s")]
    [InlineData("3 weeks")]
    [InlineData("90000")]
    public void RefusesWhatIsNoTime(string text) => Assert.False(TimeSpanText.TryParse(text, out _));
}
