namespace Rum.Client.Child;

/// <summary>Sessions that end, and segments that another session has.</summary>
internal static class Sessions
{
    /// <summary>Waits for the loss of its session, sees calls refused, and starts anew.</summary>
    internal static async Task<int> Lost(string[] args)
    {
        RumClientOptions options = new() { Lease = TimeSpan.FromSeconds(2) };
        await using (RumClient client = await RumClient.ConnectAsync(options))
        {
            RumSegment segment = await client.AllocateAsync(1 << 20);
            segment.Write(0, 1L);
            TaskCompletionSource lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenRegistration registration = client.SessionLost.Register(lost.SetResult);
            Console.WriteLine("ready");
            await lost.Task;
            try
            {
                await segment.ReadAsync(0, new byte[8]);
                Console.WriteLine("read after the loss");
                return 1;
            }
            catch (RumException e)
            {
                Console.WriteLine($"lost: {e.GetType().Name}: {e.Message}");
            }
        }

        await using (RumClient client = await RumClient.ConnectAsync(options))
        await using (RumSegment segment = await client.AllocateAsync(1 << 20))
        {
            segment.Write(0, 2L);
            Console.WriteLine(segment.Read<long>(0) == 2 ? "again" : "wrong");
        }

        return 0;
    }

    /// <summary>Opens a segment that its parent writes.</summary>
    internal static async Task<int> Busy(string[] args)
    {
        await using RumClient client = await RumClient.ConnectAsync();
        try
        {
            await client.OpenAsync(args[0]);
            Console.WriteLine("opened for writing");
            return 1;
        }
        catch (SegmentBusyException e)
        {
            Console.WriteLine($"{e.GetType().Name}: {e.Message}");
        }

        await using RumSegment segment = await client.OpenAsync(args[0], RumAccess.Read);
        Console.WriteLine($"reads {segment.Read<long>(0)}");
        return 0;
    }
}
