// A hash table of a million entries and more that lives in silos: fill it, close it, find it again by its name, look up, remove.
//
//   rum silo run --dev                                     in another terminal
//   dotnet run --project apps/hash_table -- 1500000        entries; default 1,500,000
//
// RUM_CACHE=8M makes the local cache far smaller than the table. Exit code 0: every entry was right.
using System.Diagnostics;
using Rum;

long entries = args.Length > 0 ? long.Parse(args[0]) : 1_500_000;
const string name = "hash_table";

await using RumClient client = await RumClient.ConnectAsync();
await client.DeleteAsync(name);

// Made small on purpose: it doubles as it fills.
Stopwatch clock = Stopwatch.StartNew();
await using (var table = await RumDictionary<long, Account>.CreateAsync(client, allocation: RumAllocation.Named(name)))
{
    for (long id = 0; id < entries; id++)
    {
        table.Add(id * 7, new Account(id, Owner: (int)(id % 1000)));
        if (id % (entries / 10) == 0) Say($"{id,12:N0} added");
    }

    Say($"{table.Count,12:N0} entries in {table.Capacity / 0.7 * 32 / (1 << 20):N0} MiB");
}

// Disposing flushed and closed it; the segment stays under its name, for this program or another.
long wrong = 0;
await using (var table = await RumDictionary<long, Account>.OpenAsync(client, name))
{
    Random random = new(1);
    for (int i = 0; i < 100_000; i++)
    {
        long id = random.NextInt64(entries);
        if (!table.TryGetValue(id * 7, out Account account) || account != new Account(id, (int)(id % 1000))) wrong++;
        if (table.ContainsKey(id * 7 + 1)) wrong++;
    }

    Say("200,000 lookups");
    for (long id = 0; id < entries; id += 100) wrong += table.Remove(id * 7) ? 0 : 1;
    for (long id = 0; id < entries; id += 50) wrong += table.ContainsKey(id * 7) == (id % 100 != 0) ? 0 : 1;
    Say($"{table.Count,12:N0} entries left");
    if (table.Count != entries - (entries + 99) / 100) wrong++;
}

RumStatistics statistics = client.GetStatistics();
Console.WriteLine($"{wrong} wrong; cache {statistics.CacheBytes >> 20} MiB, {statistics.Faults:N0} faults, {statistics.Evictions:N0} pages evicted");
await client.DeleteAsync(name);
return wrong == 0 ? 0 : 1;

void Say(string what) => Console.WriteLine($"{clock.Elapsed.TotalSeconds,6:F1} s  {what}");

/// <summary>A value: any type without references, here with its own id so that a mix-up shows.</summary>
internal readonly record struct Account(long Id, int Owner);
