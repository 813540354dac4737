namespace Rum.Client.Tests;

/// <summary>The program of apps/hash_table, on a cache far smaller than its table.</summary>
public sealed class HashTableTests(Silo silo)
{
    private const int Entries = 1_100_000;

    [Fact]
    public async Task More_than_a_million_entries_are_found_again_by_name()
    {
        using var program = new HashTable(new Dictionary<string, string> { ["RUM_MACHINES"] = silo.Machines, ["RUM_CACHE"] = "24M" }, $"{Entries}");
        int exit = await program.ExitAsync(secondsMax: 240);
        if (program.Said.Contains("userfaultfd")) Assert.Skip(program.Said);
        Assert.True(exit == 0, program.Said);
        Assert.Contains("0 wrong; cache 24 MiB", program.Said);
        Assert.Contains($"{Entries - Entries / 100:N0} entries left", program.Said);
    }

    private sealed class HashTable(IReadOnlyDictionary<string, string> environment, params string[] arguments)
        : TestProcess("dotnet", [Path.Combine(AppContext.BaseDirectory, "hash_table.dll"), .. arguments], environment);
}
