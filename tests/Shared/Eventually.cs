using System.Diagnostics;

namespace Rum.Tests;

/// <summary>Waits for a condition with a bound that a loaded machine keeps, and says which one didn't come about.</summary>
internal static class Eventually
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static async Task Async(Func<bool> condition, string what, Func<string>? state = null) =>
        await Async(() => Task.FromResult(condition()), what, state);

    /// <summary>As the others; <paramref name="patience"/> is for what takes more than a minute by itself.</summary>
    public static async Task Async(Func<Task<bool>> condition, string what, Func<string>? state = null, TimeSpan? patience = null)
    {
        TimeSpan bound = patience ?? Patience;
        for (Stopwatch waited = Stopwatch.StartNew(); !await condition();)
        {
            Assert.True(waited.Elapsed < bound, $"Not within {bound.TotalSeconds} s: {what}. {(state is null ? "" : "Last seen:\n" + state())}");
            await Task.Delay(20);
        }
    }
}
