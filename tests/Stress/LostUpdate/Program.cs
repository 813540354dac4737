using System.Globalization;
using Rum.Core;
using Rum.Pager;
using Rum.Pager.Paging;

namespace Rum.LostUpdate;

/// <summary>Exit 0: nothing lost; 1: a violation; 2: could not be tried.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        StressOptions options = new() { Verbose = true };
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            switch (arguments[i])
            {
                case "--seconds" when double.TryParse(value, CultureInfo.InvariantCulture, out double seconds):
                    options = options with { Seconds = seconds };
                    break;
                case "--seed" when int.TryParse(value, out int seed):
                    options = options with { Seed = seed };
                    break;
                case "--mode" when Enum.TryParse(value, true, out PagerMode mode):
                    options = options with { Mode = mode };
                    break;
                case "--lends" when int.TryParse(value, out int lends):
                    options = options with { Lends = lends };
                    break;
                case "--delay-us" when long.TryParse(value, out long delay):
                    options = options with { DelayUs = delay };
                    break;
                case "--defect" when Enum.TryParse(value, true, out PagerDefect defect):
                    options = options with { Defect = defect };
                    break;
                default:
                    Console.Error.WriteLine("usage: lost-update [--seconds N] [--seed N] [--mode auto|move|copy] [--delay-us N] [--lends N] [--defect AbsentAtMoveOut|ShortHash]");
                    return 2;
            }
        }

        Console.WriteLine($"lost-update: seed {options.Seed}, {options.Seconds} s, {options.Mode}, defect {options.Defect}");
        using LostUpdateStress stress = new(options);
        RumError error = stress.Run();
        if (stress.Skipped is not null) Console.WriteLine($"skipped: {stress.Skipped}");
        if (error != RumError.None) return 2;
        Console.WriteLine($"{stress.Operations} operations, {stress.Statistics!.Faults} faults, {stress.Statistics.Evictions} evictions, {stress.Statistics.WriteBacks} write-backs, {stress.Statistics.Rescues} rescues");
        Console.WriteLine(stress.Violation is null ? "no update lost" : $"VIOLATION: {stress.Violation}");
        return stress.Violation is null ? 0 : 1;
    }
}
