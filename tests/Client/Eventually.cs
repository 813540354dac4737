using System.Diagnostics;

namespace Rum.Client.Tests;

/// <summary>Waits for a condition with a bound, and says what did not come about.</summary>
internal static class Eventually
{
    internal static async Task Is(Func<bool> condition, Func<string> what, int secondsMax = 30)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed.TotalSeconds > secondsMax) Assert.Fail($"Not within {secondsMax} s: {what()}");
            await Task.Delay(10);
        }
    }
}
