using Rum.Core;
using Rum.Silo.Http;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Http;

public sealed class SearchTests
{
    private static readonly SegmentReport Named = new(12, SegmentKey.FromName("orders").ToString(), 1 << 20, false, false, 1, 0, 7, 0, 1 << 20, 1);
    private static readonly SegmentReport Anonymous = new(120, "", 1 << 20, false, false, 1, 9, 9, 0, 1 << 20, 1);

    [Theory]
    [InlineData("", true, true)]
    [InlineData("12", true, false)]
    [InlineData("120", false, true)]
    [InlineData("orders", true, false)]
    [InlineData("ordersx", false, false)]
    [InlineData("session 7", true, false)]
    [InlineData("session 9", false, true)]
    public void Segments(string search, bool named, bool anonymous) =>
        Assert.Equal((named, anonymous), (RumPage.Fits(Named, search), RumPage.Fits(Anonymous, search)));

    [Fact]
    public void APartOfTheKeyFits() => Assert.True(RumPage.Fits(Named, Named.Key[4..20].ToUpperInvariant()));

    [Theory]
    [InlineData("", true)]
    [InlineData("5", true)]
    [InlineData("PYTHON", true)]
    [InlineData("55", false)]
    public void Sessions(string search, bool expected) => Assert.Equal(expected, RumPage.Fits(new SessionReport(5, "", "python3 (17)", 10_000, 0, 0), search));
}
