using Rum.Core;

namespace Rum.Client.Tests;

public sealed class OptionsTests(Silo silo)
{
    [Fact]
    public async Task Every_wrong_option_is_named()
    {
        RumClientOptions wrong = new()
        {
            Machines = "",
            CacheBytes = 5,
            Transport = (RumTransport)9,
            Paging = (RumPaging)9,
            Faults = (RumFaults)9,
            FaultTimeout = TimeSpan.Zero,
            Lease = TimeSpan.FromDays(1),
            WaitThreads = 0,
        };
        RumConfigurationException e = await Assert.ThrowsAsync<RumConfigurationException>(async () => await RumClient.ConnectAsync(wrong));
        foreach (string name in (string[])["Machines", "CacheBytes", "Transport", "Paging", "Faults", "FaultTimeout", "Lease", "WaitThreads"]) Assert.Contains(name + " is", e.Message);
        e = await Assert.ThrowsAsync<RumConfigurationException>(async () => await RumClient.ConnectAsync(new() { Machines = "/nonexistent.csv" }));
        Assert.Contains("/nonexistent.csv", e.Message);
    }

    [Fact]
    public async Task Clients_with_equal_settings_share_a_session_and_others_are_refused()
    {
        await using RumClient first = await silo.ConnectAsync();
        await using (RumClient second = await silo.ConnectAsync())
        {
            RumConfigurationException e = await Assert.ThrowsAsync<RumConfigurationException>(() => silo.ConnectAsync(o => o with { CacheBytes = 8 << 20 }));
            Assert.Contains("other settings", e.Message);
        }

        await using RumSegment segment = await first.AllocateAsync(4096);
        segment.Write(0, 1);
        await first.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => segment.Read<int>(0));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await first.AllocateAsync(1));
        // The session is over, so another one may have other settings.
        await using RumClient other = await silo.ConnectAsync(o => o with { CacheBytes = 8 << 20, Transport = RumTransport.Udp, Paging = RumPaging.Copy, Lease = TimeSpan.FromSeconds(5) });
        Assert.Equal(8 << 20, other.GetStatistics().CacheBytes);
        await using RumSegment again = await other.AllocateAsync(16 << 20);
        for (long at = 0; at < again.Length; at += 4096) again.Write(at, at);
        for (long at = 0; at < again.Length; at += 4096) Assert.Equal(at, again.Read<long>(at));
    }

    [Fact]
    public async Task An_absent_silo_is_told_with_its_address_and_the_next_step()
    {
        string machines = Path.GetTempFileName();
        File.WriteAllText(machines, "127.0.0.1:9\n");
        RumUnavailableException e = await Assert.ThrowsAsync<RumUnavailableException>(async () => await RumClient.ConnectAsync(new() { Machines = machines }));
        Assert.Contains("127.0.0.1:9", e.Message);
        Assert.Contains("rum silo run --dev", e.Message);
        File.Delete(machines);
    }

    [Fact]
    public void Every_error_has_its_exception_and_a_sentence()
    {
        foreach (RumError error in Enum.GetValues<RumError>().Except([RumError.None]))
        {
            Exception e = RumErrors.Create(error, "");
            Assert.True(e is ArgumentException || e is RumException { Error: var code } && code == error, $"{error}: {e.GetType()}");
            Assert.EndsWith(".", e.Message);
        }
    }
}
