using System.Collections.Concurrent;

namespace Rum.Pager.Session;

/// <summary>Settings that a program made by a call, which stand above the environment. They count at the next start of a runtime. Any thread.</summary>
internal static class ClientOverrides
{
    private static readonly ConcurrentDictionary<string, string> Values = new();

    /// <summary>
    /// Whether the program is one of a runtime whose threads run on while the process exits (.NET): only those configure by calls.
    /// </summary>
    public static bool ThreadsOutliveExit { get; private set; }

    /// <summary>Sets a setting under its environment's name; null: what the environment says.</summary>
    public static void Set(string name, string? value)
    {
        ThreadsOutliveExit = true;
        if (value is null) Values.TryRemove(name, out _);
        else Values[name] = value;
    }

    /// <summary>A setting as the next start sees it; null for unset.</summary>
    public static string? Read(string name) => Values.TryGetValue(name, out string? value) ? value : Environment.GetEnvironmentVariable(name);
}
