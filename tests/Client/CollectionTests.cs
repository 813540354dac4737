namespace Rum.Client.Tests;

public sealed class CollectionTests(Silo silo)
{
    [Fact]
    public async Task A_dictionary_does_what_a_dictionary_does()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumDictionary<long, int> table = await RumDictionary<long, int>.CreateAsync(client);
        Dictionary<long, int> model = [];
        Random random = new(3);
        for (int i = 0; i < 60_000; i++)
        {
            // Few keys at first, so that they are found again and removed; more later, so that it grows.
            long key = random.Next(100 + i / 2);
            switch (random.Next(5))
            {
                case 0:
                    Assert.Equal(model.Remove(key), table.Remove(key));
                    break;
                case 1:
                    Assert.Equal(model.TryAdd(key, i), table.TryAdd(key, i));
                    break;
                case 2:
                    model[key] = table[key] = i;
                    break;
                default:
                    Assert.Equal(model.TryGetValue(key, out int expected), table.TryGetValue(key, out int found));
                    Assert.Equal(expected, found);
                    break;
            }
        }

        Assert.Equal(model.Count, table.Count);
        Assert.True(table.Capacity > 5_000, "it has grown");
        Assert.Equal(model.OrderBy(e => e.Key), table.Entries().OrderBy(e => e.Key));
        Assert.Throws<KeyNotFoundException>(() => table[-1]);
        Assert.Throws<ArgumentException>(() => table.Add(model.Keys.First(), 0));
    }

    [Fact]
    public async Task A_named_dictionary_is_found_again_and_its_types_are_checked()
    {
        const string name = "client tests: dictionary";
        await using RumClient client = await silo.ConnectAsync();
        await client.DeleteAsync(name);
        await using (RumDictionary<Guid, double> table = await RumDictionary<Guid, double>.CreateAsync(client, 10_000, RumAllocation.Named(name)))
        {
            table[new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)] = 0.5;
        }

        await using (RumDictionary<Guid, double> table = await RumDictionary<Guid, double>.OpenAsync(client, name, RumAccess.Read))
        {
            Assert.Equal(0.5, table[new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)]);
            Assert.True(table.Capacity >= 10_000);
            Assert.Throws<SegmentReadOnlyException>(() => table[default] = 1);
        }

        await Assert.ThrowsAsync<InvalidDataException>(async () => await RumDictionary<int, double>.OpenAsync(client, name));
        Assert.True(await client.DeleteAsync(name));
    }

    [Fact]
    public async Task An_array_holds_its_values_and_its_bounds()
    {
        await using RumClient client = await silo.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(24 << 20);
        RumArray<decimal> array = new(segment, offset: 8);
        Assert.Equal(((24 << 20) - 8) / 16, array.Length);
        for (long i = 0; i < array.Length; i += 77) array[i] = i;
        for (long i = 0; i < array.Length; i += 77) Assert.Equal(i, array[i]);
        decimal[] some = new decimal[50_000];
        await array.ReadAsync(1_000, some);
        Assert.Equal(77 * 13, some[1]);
        some[0] = 4.25m;
        await array.WriteAsync(array.Length - some.Length, some);
        Assert.Equal(4.25m, array[array.Length - some.Length]);
        await array.PrefetchAsync(0, 1_000);
        array.DangerousGetReference(3) += 1;
        Assert.Equal(1, array[3]);
        Assert.Throws<ArgumentOutOfRangeException>(() => array[array.Length]);
        Assert.Throws<ArgumentOutOfRangeException>(() => array[-1] = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RumArray<long>(segment, 0, (3 << 20) + 1));
    }
}
