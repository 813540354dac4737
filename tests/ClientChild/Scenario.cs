namespace Rum.Client.Child;

/// <summary>What a child can do. Each connects by RUM_MACHINES, prints lines for its parent, and returns the exit code: 0 passed, 1 a violation.</summary>
internal static class Scenario
{
    private static readonly Dictionary<string, Func<string[], Task<int>>> All = new()
    {
        ["use-after-dispose"] = Endings.UseAfterDispose,
        ["exit"] = Endings.Exit,
        ["null-reference"] = Endings.NullReference,
        ["lost-update"] = LostUpdate.Run,
        ["facade"] = Facade.Run,
        ["figures"] = Figures.Run,
        ["session-lost"] = Sessions.Lost,
        ["busy"] = Sessions.Busy,
    };

    internal static IEnumerable<string> Names => All.Keys;

    internal static Func<string[], Task<int>>? Find(string name) => All.GetValueOrDefault(name);
}
