using System.Diagnostics;

namespace Rum.Client.Child;

/// <summary>What the calls on resident pages cost, and how absent ones are waited for: the figures of docs/DOTNET.md and of docs/adr/0071.</summary>
internal static class Figures
{
    private const int Rounds = 7;

    internal static async Task<int> Run(string[] args)
    {
        await using RumClient client = await RumClient.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(1 << 20);
        byte[] page = new byte[4096];
        await segment.WriteAsync(0, page);
        Time("TryPin + Dispose, a page", 200_000, () =>
        {
            if (segment.TryPin(0, 4096, out RumPin? pin)) pin.Dispose();
        });
        RumPin[] kept = new RumPin[100];
        Time("TryPin alone, a page", 2_000, () =>
        {
            for (int i = 0; i < kept.Length; i++) segment.TryPin(0, 4096, out kept[i]!);
        }, kept.Length, () =>
        {
            foreach (RumPin pin in kept) pin.Dispose();
        });
        Time("ReadAsync, a resident page", 200_000, () => segment.ReadAsync(0, page).GetAwaiter().GetResult());
        Time("WriteAsync, a resident page", 200_000, () => segment.WriteAsync(0, page).GetAwaiter().GetResult());
        Time("Read<long>, resident", 200_000, () => segment.Read<long>(64));
        Time("local copy of a page", 200_000, () => page.AsSpan().CopyTo(Copy));
        await using RumSegment large = await client.AllocateAsync(32 << 20);
        for (long at = 0; at < large.Length; at += 4096) large.Write(at, at);
        Random random = new(1);
        Time("ReadAsync, an absent page", 2_000, () => large.ReadAsync(random.Next(8192) * 4096L, page).AsTask().GetAwaiter().GetResult());
        Time("Read, an absent page", 2_000, () => large.Read(random.Next(8192) * 4096L, page));
        Time("plain load of an absent page", 2_000, () => s_sum += large.DangerousGetSpan(random.Next(8192) * 4096L, 1)[0]);
        return 0;
    }

    private static int s_sum;

    private static byte[] Copy { get; } = new byte[4096];

    /// <summary>Prints the median of several rounds, after two to warm up; <paramref name="after"/> isn't counted.</summary>
    private static void Time(string what, int calls, Action call, int perCall = 1, Action? after = null)
    {
        double[] times = new double[Rounds];
        for (int round = -2; round < Rounds; round++)
        {
            TimeSpan spent = default;
            // Without anything in between, all calls are taken together: the clock costs as much as one of them.
            int together = after is null ? calls : 1;
            for (int i = 0; i < calls; i += together)
            {
                long start = Stopwatch.GetTimestamp();
                for (int n = 0; n < together; n++) call();
                spent += Stopwatch.GetElapsedTime(start);
                after?.Invoke();
            }

            if (round >= 0) times[round] = spent.TotalNanoseconds / calls / perCall;
        }

        Array.Sort(times);
        Console.WriteLine($"{what,-32} {times[Rounds / 2],10:N0} ns");
    }
}
