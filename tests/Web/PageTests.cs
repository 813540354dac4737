using Microsoft.Playwright;
using Rum.Core;

namespace Rum.Tests.Web;

/// <summary>The page /rum of real silos, in a real browser.</summary>
public sealed class PageTests
{
    private static readonly string Screenshots = Path.Combine(Root(), "artifacts", "screenshots");

    [Fact]
    public async Task ShowsTheClusterLiveAndAKilledSiloAsDead()
    {
        Browser.Require();
        await using var site = new Site();
        await site.InitializeAsync();
        await using Browser browser = await Browser.OpenAsync(site.Page);
        IPage page = browser.Page;

        // It loads: everything that exists is there.
        await browser.UntilAsync("#silo-list", text => text.Contains("silo-a") && text.Contains("silo-b"), "both silos are listed");
        await browser.UntilAsync("#ring-legend", text => text.Contains("silo-a: ") && text.Contains("silo-b: "), "the ring's shards are counted by silo");
        await browser.UntilAsync("#segment-rows", text => text.Contains(SegmentKey.FromName(Site.SegmentName).ToString()), "the segment is listed");
        await browser.UntilAsync("#session-rows", text => text.Length > 0, "the session is listed");
        await browser.UntilAsync("#event-list", text => text.Contains("silo silo-b joined"), "the join is among the events");
        await browser.UntilAsync("#times-words", text => text.Contains("p99"), "service times are shown");

        // It updates by itself: pages that travel now are seen as a rate.
        bool seen = false;
        await Eventually.Async(async () =>
        {
            site.Touch();
            string rate = await browser.TextAsync("#reads");
            return seen |= rate.EndsWith("/s", StringComparison.Ordinal) && rate != "0/s";
        }, "pages read are shown as a rate");
        await Shoot(page, "rum-light-1440x900.png");
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Screenshots, "rum-page.png") });

        // The search filters, by the name that the key was made of.
        await page.FillAsync("#segment-search", Site.SegmentName);
        await browser.UntilAsync("#segment-words", text => text == "One.", "the search by name finds the segment");
        await page.FillAsync("#segment-search", "no such segment");
        await browser.UntilAsync("#segment-words", text => text == "None fits.", "the search for what isn't there finds nothing");
        await page.FillAsync("#segment-search", "");
        await browser.UntilAsync("#segment-rows", text => text.Length > 0, "without a search all are back");

        // A silo that is killed.
        await site.DisconnectAsync();
        await site.Second.KillAsync();
        ILocator dead = page.Locator("#silo-list li[data-dead=true]");
        await dead.WaitForAsync();
        Assert.Contains("silo-b", await dead.InnerTextAsync());
        await browser.UntilAsync("#event-list", text => text.Contains("silo silo-b is silent"), "its silence is among the events");
        Assert.Equal("up", await page.Locator("#silo-list li[data-dead=false] .badge").InnerTextAsync());
        await Shoot(page, "rum-dead-silo.png");

        Assert.Empty(browser.Complaints);
    }

    [Theory]
    [InlineData(390, 844, ColorScheme.Light)]
    [InlineData(390, 844, ColorScheme.Dark)]
    [InlineData(1440, 900, ColorScheme.Dark)]
    public async Task FitsTheScreenInBothSchemesAndWorksByKeyboard(int width, int height, ColorScheme scheme)
    {
        Browser.Require();
        await using var site = new Site();
        await site.InitializeAsync();
        await using Browser browser = await Browser.OpenAsync(site.Page, width, height, scheme);
        IPage page = browser.Page;
        await browser.UntilAsync("#segment-rows", text => text.Length > 0, "the segment is listed");
        await browser.UntilAsync("#ring-legend", text => text.Contains("silo-b: "), "the ring is drawn");

        Assert.Equal(width, await page.EvaluateAsync<int>("Math.max(document.documentElement.scrollWidth, window.innerWidth)"));
        int[] paper = await page.EvaluateAsync<int[]>("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)");
        Assert.True(scheme == ColorScheme.Dark ? paper.Max() < 80 : paper.Min() > 200, $"the paper is {string.Join(' ', paper)} in {scheme}");
        await Shoot(page, $"rum-{scheme.ToString().ToLowerInvariant()}-{width}x{height}.png");

        // The first stop of the tabulator leads past the links, a later one to the search.
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("Skip to the silos", await page.EvaluateAsync<string>("document.activeElement.textContent"));
        for (int i = 0; i < 20 && await page.EvaluateAsync<string>("document.activeElement.id") != "segment-search"; i++) await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync("no such segment");
        await browser.UntilAsync("#segment-words", text => text == "None fits.", "what is typed filters");

        Assert.Empty(browser.Complaints);
    }

    private static Task Shoot(IPage page, string name) => page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Screenshots, name), FullPage = true });

    private static string Root()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "Rum.slnx"))) directory = Path.GetDirectoryName(directory);
        return directory ?? throw new DirectoryNotFoundException("Rum.slnx is in no folder above the tests");
    }
}
