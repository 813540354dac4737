using Microsoft.Playwright;

namespace Rum.Tests.Web;

/// <summary>Debian's chromium with one page.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";
    private static readonly string[] Flags =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync",
    ];

    private readonly IPlaywright _playwright;
    private readonly IBrowserContext _context;
    private readonly DirectoryInfo _user;

    private Browser(IPlaywright playwright, IBrowserContext context, DirectoryInfo user, IPage page)
    {
        _playwright = playwright;
        _context = context;
        _user = user;
        Page = page;
    }

    public IPage Page { get; }

    /// <summary>What went wrong on the page: errors of its script, and requests to anybody but the silo.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>Skips the test where there is no browser.</summary>
    public static void Require()
    {
        if (!File.Exists(Chromium)) Assert.Skip($"{Chromium} is not installed (apt-get install chromium)");
    }

    public static async Task<Browser> OpenAsync(Uri address, int width = 1440, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        DirectoryInfo user = Directory.CreateTempSubdirectory("rum-web-");
        IPlaywright playwright = await Playwright.CreateAsync();
        IBrowserContext context = await playwright.Chromium.LaunchPersistentContextAsync(user.FullName, new BrowserTypeLaunchPersistentContextOptions
        {
            ExecutablePath = Chromium,
            Args = Flags,
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = height },
        });
        context.SetDefaultTimeout((float)Eventually.Patience.TotalMilliseconds);
        IPage page = context.Pages.Count > 0 ? context.Pages[0] : await context.NewPageAsync();
        var browser = new Browser(playwright, context, user, page);
        page.PageError += (_, error) => browser.Complain(error);
        page.Request += (_, request) =>
        {
            if (new Uri(request.Url) is { Scheme: "http" or "https" or "ws" } asked && asked.Authority != address.Authority) browser.Complain("asks " + request.Url);
        };
        await page.GotoAsync(address.ToString());
        await page.Locator("#link[data-state=live]").WaitForAsync();
        return browser;
    }

    public Task<string> TextAsync(string selector) => Page.Locator(selector).InnerTextAsync();

    /// <summary>Waits until an element says what is expected.</summary>
    public async Task UntilAsync(string selector, Func<string, bool> expected, string what)
    {
        string said = "";
        await Eventually.Async(async () => expected(said = await TextAsync(selector)), what, () => $"{selector}: {said}");
    }

    public async ValueTask DisposeAsync()
    {
        await _context.CloseAsync();
        _playwright.Dispose();
        _user.Delete(recursive: true);
    }

    private void Complain(string what)
    {
        lock (Complaints) Complaints.Add(what);
    }
}
