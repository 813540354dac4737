using System.Text.RegularExpressions;

namespace Rum.Client.Tests;

/// <summary>What takes a process of its own: its end, its garbage collector, its session's end.</summary>
public sealed class ProcessTests(Silo silo)
{
    private static int StressSeconds => int.TryParse(Environment.GetEnvironmentVariable("RUM_STRESS_SECONDS"), out int seconds) ? seconds : 10;

    [Theory]
    [InlineData("handler")]
    [InlineData("inline")]
    public async Task A_span_used_after_disposal_ends_the_process(string fault)
    {
        using Child child = Start(new Dictionary<string, string> { ["RUM_FAULT"] = fault }, "use-after-dispose");
        int exit = await child.ExitAsync();
        Assert.Contains("reading", child.Said);
        Assert.DoesNotContain("\nread ", child.Said);
        Assert.Equal(134, exit);
        Assert.Contains("AccessViolationException", child.Said);
    }

    [Theory]
    [InlineData("return", 0, 0, "handler")]
    [InlineData("return", 300, 0, "handler")]
    [InlineData("exit", 150, 0, "handler")]
    [InlineData("throw", 100, 134, "handler")]
    [InlineData("return", 300, 0, "inline")]
    [InlineData("exit", 150, 0, "inline")]
    public async Task A_process_ends_cleanly_at_any_moment(string how, int afterMs, int expected, string fault)
    {
        using Child child = Start(new Dictionary<string, string> { ["RUM_FAULT"] = fault }, "exit", how, afterMs.ToString());
        int exit = await child.ExitAsync();
        Assert.True(exit == expected, $"exit code {exit}:\n{child.Said}");
        Assert.Contains("ending", child.Said);
        Assert.DoesNotContain("AccessViolation", child.Said);
    }

    [Theory]
    [InlineData("handler")]
    [InlineData("inline")]
    public Task Null_references_and_stack_traces_stay_what_they_are(string fault) => PassesAsync(60, new() { ["RUM_FAULT"] = fault }, "null-reference");

    [Fact]
    public Task The_static_facade_works_from_Init_to_End_and_again() => PassesAsync(60, [], "facade");

    [Theory]
    [InlineData("0", "handler")]
    [InlineData("1", "handler")]
    [InlineData("0", "inline")]
    [InlineData("1", "inline")]
    public Task No_update_is_lost_under_a_storm_of_collections(string serverGc, string fault) =>
        PassesAsync(StressSeconds + 60, new() { ["DOTNET_gcServer"] = serverGc, ["RUM_FAULT"] = fault }, "lost-update", StressSeconds.ToString(), "24");

    [Fact]
    public async Task The_stress_would_notice_a_lost_update()
    {
        using Child child = Start("lost-update", "3", "24", "break");
        Assert.Equal(1, await child.ExitAsync());
        Assert.Contains("VIOLATION", child.Said);
    }

    [Fact]
    public async Task A_session_that_was_silent_for_its_lease_is_told_and_a_new_one_starts()
    {
        using Child child = Start("session-lost");
        await child.SaysAsync("ready");
        // Others' sessions end here too: those of processes that earlier tests killed.
        Match opened = Regex.Match(silo.Log, $@"session (\d+) opened by \S+:{child.Id},");
        Assert.True(opened.Success, silo.Log);
        using (child.Stall()) await Eventually.Async(() => silo.Log.Contains($"session {opened.Groups[1].Value} expired"), "the silo ends the session", () => silo.Log);
        await child.SaysAsync("lost: SessionExpiredException");
        await child.SaysAsync("again");
        Assert.Equal(0, await child.ExitAsync());
    }

    [Fact]
    public async Task Another_session_may_read_but_not_write_what_is_being_written()
    {
        await using RumClient client = await silo.ConnectAsync();
        await client.DeleteAsync("client tests: busy");
        await using RumSegment segment = await client.AllocateAsync(1 << 20, RumAllocation.Named("client tests: busy"));
        segment.Write(0, 11L);
        await segment.FlushAsync();
        using (Child child = Start("busy", "client tests: busy"))
        {
            int exit = await child.ExitAsync();
            Assert.True(exit == 0, child.Said);
            Assert.Contains("SegmentBusyException", child.Said);
            Assert.Contains("reads 11", child.Said);
        }

        await segment.DisposeAsync();
        Assert.True(await client.DeleteAsync("client tests: busy"));
    }

    private async Task PassesAsync(int secondsMax, Dictionary<string, string> environment, params string[] arguments)
    {
        using Child child = Start(environment, arguments);
        int exit = await child.ExitAsync(secondsMax);
        Assert.True(exit == 0, $"exit code {exit}:\n{child.Said}");
        TestContext.Current.SendDiagnosticMessage(child.Said);
    }

    private Child Start(params string[] arguments) => Start([], arguments);

    private Child Start(Dictionary<string, string> environment, params string[] arguments)
    {
        environment["RUM_MACHINES"] = silo.Machines;
        environment["RUM_CACHE"] = "4M";
        return new Child(environment, arguments);
    }
}
