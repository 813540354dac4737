using System.Diagnostics;
using System.Text.Json;
using Rum.Cluster.Tests.Programs;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Processes;

/// <summary>What an operator sees when something is not as it should be.</summary>
public sealed class OperationsTests
{
    [Fact]
    public async Task ASiloThatEndsWithoutAWordIsSeen()
    {
        using var cluster = new TestCluster(2);
        await cluster.StartAllAsync();
        Assert.StartsWith("only the loss of " + cluster.Address(1), (await cluster.StatusAsync()).Survivable);
        using RemoteCouncil council = cluster.Council();
        SessionId session = await TestCluster.OpenSessionAsync(council, 600_000);
        await TestCluster.DecideAsync(council, new RequestId(session, 0, 1), new Allocate(session, 7, 200 << 20, 1, SegmentFlags.None, default));
        Assert.StartsWith("no single loss", (await cluster.StatusAsync()).Survivable);

        await cluster.Silo(1).KillAsync();
        await cluster.Silo(0).WaitForErrorAsync($"silo {cluster.Address(1)} is silent");
        // A busy machine may have made it seem silent once before.
        SiloReport silent = await OtherAsync(cluster);
        await Eventually.Async(async () => (silent = await OtherAsync(cluster)).State == "silent", "status shows it as silent", () => $"{silent}\n{cluster.Silo(0).Errors}");
        Assert.InRange(silent.SilentSeconds, 1, 60);
        HealthReport health = JsonSerializer.Deserialize((await cluster.GetAsync(0, "/health")).Text, ReportJson.Default.HealthReport)!;
        Assert.True(health.Ready);
        Assert.Equal(cluster.Address(1).ToString(), Assert.Single(health.Silent).Name);
        (_, string table, _) = await RumProcess.RunAsync("status", "--machines", cluster.Machines);
        Assert.Matches(@"silent since \d+ s", table);
        Assert.Contains("is silent already", table);

        cluster.Start(1);
        await cluster.ReadyAsync(1);
        SiloReport again = silent;
        await Eventually.Async(async () => (again = await OtherAsync(cluster)) is { State: "up", SilentSeconds: 0 }, "the silo is up again", () => $"{again}");
    }

    [Fact]
    public async Task ProgramsOutliveARestartOfTheCouncil()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("worker", directory);
        // The first silo holds the council and no pages, so that its end costs none.
        using var cluster = new TestCluster(2, "--lease", "4s") { CouncilMemory = "0" };
        await cluster.StartAllAsync();
        using NativeProgram worker = NativeProgram.Start(program, new() { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "8M" });
        await worker.WaitForAsync("ready");
        worker.Say("touch");
        await worker.WaitForAsync("touched 1");

        await cluster.Silo(0).KillAsync();
        // Longer than its lease: nobody may count the time in which nobody could renew.
        var away = Stopwatch.StartNew();
        for (int round = 2; away.Elapsed < TimeSpan.FromSeconds(5); round++)
        {
            worker.Say("touch");
            await worker.WaitForAsync($"touched {round}");
        }
        cluster.Start(0);
        await cluster.ReadyAsync(0);
        worker.Say("alloc");
        await worker.WaitForAsync("allocated");
        Assert.Equal(1, (await cluster.StatusAsync()).Sessions);
        Assert.True(await worker.EndAsync() == 0, worker.Output);
        Assert.Equal(0, (await cluster.StatusAsync()).Sessions);
    }

    [Fact]
    public async Task ASiloThatStopsSaysWhatEndsWithIt()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("worker", directory);
        using var cluster = new TestCluster(2) { CouncilMemory = "0" };
        await cluster.StartAllAsync();
        using (NativeProgram worker = NativeProgram.Start(program, new() { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "8M" }))
        {
            await worker.WaitForAsync("ready");
            Assert.Equal(0, await cluster.Silo(1).StopAsync());
        }
        Assert.Matches(@"this silo stores \d+ pages \(.*MiB\) of 1 segments; those that have no other copy end with it", cluster.Silo(1).Errors);
        SiloReport left = await OtherAsync(cluster);
        Assert.Equal(("left", 0.0), (left.State, left.SilentSeconds));
    }

    [Fact]
    public async Task OfTwoSilosWithOneNameTheEarlierEnds()
    {
        using var cluster = new TestCluster(3);
        cluster.Start(0);
        await cluster.ReadyAsync(0);
        cluster.Start(1, "--name", "twin");
        await cluster.ReadyAsync(1);
        cluster.Start(2, "--name", "twin");
        await cluster.ReadyAsync(2);
        Assert.Equal(1, await cluster.Silo(1).ExitAsync());
        Assert.Contains("another process has taken the place of silo twin", cluster.Silo(1).Errors);
    }

    [Theory]
    [InlineData("/proc/rum", "/proc/rum can't be made")]
    [InlineData("/dev/null", "/dev/null")]
    public async Task ADataDirectoryThatCantBeUsedIsNamed(string data, string expected)
    {
        (int exit, _, string errors) = await RumProcess.RunAsync("cluster", "init", "--data", data);
        Assert.Equal(1, exit);
        Assert.Contains(expected, errors);
        Assert.DoesNotContain("   at ", errors);
        (exit, _, errors) = await RumProcess.RunAsync("silo", "run", "--dev", "--self", $"127.0.0.1:{Ports.Free()}", "--data", data);
        Assert.Equal(1, exit);
        Assert.Contains(expected, errors);
        Assert.DoesNotContain("   at ", errors);
    }

    [Fact]
    public async Task AFullDiskEndsTheCouncilWithItsReason()
    {
        using var directory = new TemporaryDirectory();
        using (Process mount = Process.Start(new ProcessStartInfo("mount", ["-t", "tmpfs", "-o", "size=64k", "none", directory.Path]) { RedirectStandardError = true })!)
        {
            await mount.WaitForExitAsync(TestContext.Current.CancellationToken);
            if (mount.ExitCode != 0) Assert.Skip("a small disk can't be mounted here: " + await mount.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        }
        try
        {
            int port = Ports.Free();
            using RumProcess silo = RumProcess.Start("silo", "run", "--dev", "--self", $"127.0.0.1:{port}", "--memory", "64M", "--data", directory.File("data"));
            await Eventually.Async(() => silo.Output.Contains("The silo runs"), "the silo runs", () => silo.Errors);
            using var council = new RemoteCouncil(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port), TimeSpan.FromSeconds(2));
            for (int i = 1; !silo.HasExited; i++)
            {
                Assert.True(i < 20_000, "20,000 sessions found room in 64 KiB");
                try
                {
                    await council.AskAsync(new CommandRequest(default, new OpenSession((UInt128)i << 64, "", new string('x', 60), 60_000)), TestContext.Current.CancellationToken);
                }
                catch (CouncilUnreachableException)
                {
                    // It decides nothing any more, or the machine is slow.
                }
            }
            Assert.Equal(1, await silo.ExitAsync());
            Assert.Matches("rum: the council.s log .*/log can.t be written: No space left on device", silo.Errors);
        }
        finally
        {
            using Process unmount = Process.Start("umount", directory.Path);
            await unmount.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static async Task<SiloReport> OtherAsync(TestCluster cluster) => (await cluster.StatusAsync()).Silos.Single(s => s.Name == cluster.Address(1).ToString());
}
