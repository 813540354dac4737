namespace Rum.Client.Child;

/// <summary>The static facade, from Init to End, twice.</summary>
internal static class Facade
{
    internal static Task<int> Run(string[] args)
    {
        for (int round = 0; round < 2; round++)
        {
            RumMemory.Init();
            nint numbers = RumMemory.Alloc(10_000_000L * sizeof(long));
            for (long i = 0; i < 10_000_000; i += 100) RumMemory.At<long>(numbers, i) = i;
            numbers = RumMemory.Realloc(numbers, 11_000_000L * sizeof(long));
            RumMemory.Flush();
            for (long i = 0; i < 10_000_000; i += 100)
            {
                if (RumMemory.At<long>(numbers, i) == i) continue;
                Console.WriteLine($"number {i} is {RumMemory.At<long>(numbers, i)}");
                return Task.FromResult(1);
            }

            RumMemory.Free(numbers);
            RumMemory.End();
        }

        Console.WriteLine("right");
        return Task.FromResult(0);
    }
}
