using System.Diagnostics;

namespace Rum.Cluster.Tests;

/// <summary>Waits for a condition with a bound, and says which one didn't come about.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task Async(Func<bool> condition, string what, Func<string> state) =>
        await Async(() => Task.FromResult(condition()), what, state);

    public static async Task Async(Func<Task<bool>> condition, string what, Func<string> state)
    {
        for (Stopwatch waited = Stopwatch.StartNew(); !await condition();)
        {
            Assert.True(waited.Elapsed < Patience, $"Not within {Patience.TotalSeconds} s: {what}. Last seen:\n{state()}");
            await Task.Delay(20);
        }
    }
}
