using System.Diagnostics;

namespace Rum.Client.Child;

/// <summary>How a process ends that uses remote memory.</summary>
internal static class Endings
{
    /// <summary>Takes a span, disposes its segment, makes others, and reads the span: must never get to "read".</summary>
    internal static async Task<int> UseAfterDispose(string[] args)
    {
        await using RumClient client = await RumClient.ConnectAsync();
        RumSegment segment = await client.AllocateAsync(1 << 20);
        RumPin pin = await segment.PinAsync(0, 4096);
        pin.GetSpan().Fill(1);
        SpanKeeper keeper = new(pin);
        await segment.DisposeAsync();
        for (int i = 0; i < 16; i++)
        {
            RumSegment other = await client.AllocateAsync(1 << 20);
            await other.WriteAsync(0, new byte[4096].AsMemory());
        }

        Console.WriteLine("reading");
        Console.WriteLine($"read {keeper.ReadThrough()}");
        return 1;
    }

    /// <summary>Ends in the way its argument names while threads are at work; prints "ending" first.</summary>
    internal static async Task<int> Exit(string[] args)
    {
        RumClient client = await RumClient.ConnectAsync();
        RumSegment segment = await client.AllocateAsync(32 << 20);
        for (int t = 0; t < 3; t++)
        {
            int id = t;
            _ = Task.Run(async () =>
            {
                byte[] buffer = new byte[10_000];
                Random random = new(id);
                while (true)
                {
                    long at = random.NextInt64(segment.Length - buffer.Length);
                    if (id == 0) await segment.WriteAsync(at, buffer);
                    else if (id == 1) await segment.ReadAsync(at, buffer);
                    else segment.DangerousGetSpan(at, buffer.Length)[0]++;
                }
            });
        }

        await Task.Delay(int.Parse(args[1]));
        Console.WriteLine("ending");
        switch (args[0])
        {
            case "return":
                return 0;
            case "exit":
                Environment.Exit(0);
                return 1;
            case "throw":
                throw new InvalidOperationException("thrown on purpose");
            default:
                return 2;
        }
    }

    /// <summary>Null references and their stack traces, beside page faults and the signal handlers of two runtimes.</summary>
    internal static async Task<int> NullReference(string[] args)
    {
        await using RumClient client = await RumClient.ConnectAsync();
        await using RumSegment segment = await client.AllocateAsync(64 << 20);
        int wrong = 0;
        Stopwatch clock = Stopwatch.StartNew();
        Thread[] threads = [.. Enumerable.Range(0, 2).Select(id => new Thread(() =>
        {
            Random random = new(id);
            while (clock.ElapsedMilliseconds < 1500)
            {
                segment.DangerousGetSpan(random.NextInt64(segment.Length - 8), 8)[0]++;
                try
                {
                    Dereference(random.Next(2) == 3 ? "" : null);
                    Interlocked.Increment(ref wrong);
                }
                catch (NullReferenceException e)
                {
                    if (e.StackTrace?.Contains(nameof(Dereference)) != true) Interlocked.Increment(ref wrong);
                }
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Console.WriteLine($"faults {client.GetStatistics().Faults}, wrong {wrong}");
        return wrong == 0 ? 0 : 1;
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static int Dereference(string? text) => text!.Length;
}
