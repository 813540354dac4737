using System.Text.Json;
using Rum.Cluster.Tests.Programs;
using Rum.Core;
using Rum.Core.Snapshots;
using Rum.Silo.Reporting;

namespace Rum.Cluster.Tests.Processes;

/// <summary>Snapshots of real silos under a real program that flushes in order, restored into another cluster.</summary>
public sealed class SnapshotTests
{
    [Fact]
    public async Task ASnapshotUnderWritesComesBackOnFewerSilosWithEveryByteInOrder()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("ordered", directory);
        string[] files;
        using (var cluster = new TestCluster(3, "--lease", "5s") { Seats = true })
        {
            await cluster.StartAllAsync();
            using NativeProgram writer = NativeProgram.Start(program, Environment(cluster), "write");
            await writer.WaitForAsync("goes on");
            (int exit, string output, string errors) = await RumProcess.RunAsync("snapshot", "create", "kept", "--machines", cluster.Machines);
            Assert.True(exit == 0, errors + Logs(cluster));
            Assert.Contains("Snapshot kept is complete: 2 named segments (84 MiB)", output);
            TestContext.Current.TestOutputHelper?.WriteLine(output + errors);

            // The same name is refused; a second one is listed and deleted, its files go.
            (exit, _, errors) = await RumProcess.RunAsync("snapshot", "create", "kept", "--machines", cluster.Machines);
            Assert.True(exit == 1 && errors.Contains("there is a snapshot kept already"), errors);
            (exit, output, errors) = await RumProcess.RunAsync("snapshot", "create", "other", "--machines", cluster.Machines, "--json");
            Assert.True(exit == 0, errors + Logs(cluster));
            SnapshotReport other = JsonSerializer.Deserialize(output, ReportJson.Default.SnapshotReport)!;
            Assert.Equal(("complete", 2, 0), (other.State, other.Segments, other.LostShards));
            Assert.All(other.Parts, part => Assert.True(part.Saved && part.Bytes > 0));
            Assert.Equal(2 * other.Parts.Count, Files(cluster).Length);
            (exit, output, errors) = await RumProcess.RunAsync("snapshot", "delete", "other", "--machines", cluster.Machines);
            Assert.True(exit == 0, errors);
            await Eventually.Async(() => Files(cluster).Length == other.Parts.Count, "the files of the deleted one are removed", () => string.Join('\n', Files(cluster)));
            Assert.False(writer.HasExited, writer.Output);
            for (int i = 0; i < 3; i++) await cluster.Silo(i).KillAsync();
            files = [.. Files(cluster).Select(file =>
            {
                string copy = directory.File($"{Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(file)))}{Path.GetExtension(file)}");
                File.Copy(file, copy);
                return copy;
            })];
        }

        using var two = new TestCluster(2, "--lease", "5s");
        await two.StartAllAsync();
        (int restored, string said, string wrong) = await RumProcess.RunAsync(["snapshot", "restore", "--machines", two.Machines, "--from", .. files]);
        Assert.True(restored == 0, wrong);
        Assert.Contains("Restored snapshot kept", said);
        await VerifyAsync(program, two, "ordered: 20480 pages right, 0 wrong, 0 lost", "single: 1024 pages right, 0 wrong, 0 lost", "order: 32 pairs, 0 broken");

        // Not over what is there, unless told.
        (restored, _, wrong) = await RumProcess.RunAsync(["snapshot", "restore", "--machines", two.Machines, "--from", .. files]);
        Assert.True(restored == 1 && wrong.Contains("already") && wrong.Contains("--replace"), wrong);
        (restored, _, wrong) = await RumProcess.RunAsync(["snapshot", "restore", "--machines", two.Machines, "--from", WithoutSingle(files)]);
        Assert.True(restored == 1 && wrong.Contains("is another silo's directory missing?"), wrong);

        await DamageAsync(program, two, files);
    }

    [Fact]
    public async Task SilosSaveByThemselvesAndKeepTheLast()
    {
        using var directory = new TemporaryDirectory();
        using var cluster = new TestCluster(2, "--snapshot-every", "1s", "--snapshot-keep", "2") { Seats = true };
        await cluster.StartAllAsync();
        using NativeProgram writer = NativeProgram.Start(NativeProgram.CompileOwn("ordered", directory), Environment(cluster), "write");
        await writer.WaitForAsync("goes on");
        SnapshotReport[] listed = [];
        await Eventually.Async(
            async () => (listed = await ListAsync(cluster)).Any(snapshot => snapshot.State == "complete" && snapshot.Id > 3), "four snapshots, one after the other", () => Logs(cluster, 2));
        // Those that are kept, one that is being made, and one that is being deleted.
        Assert.InRange(listed.Length, 1, 4);
        Assert.DoesNotContain(listed, snapshot => snapshot.Id == 1);
        SnapshotReport? last = (await cluster.StatusAsync()).LastSnapshot;
        Assert.True(last is { State: "complete", HeldMs: > 0 } && last.Name.StartsWith("auto-", StringComparison.Ordinal), $"{last}");
        writer.Say("enough");
        Assert.Equal(0, await writer.EndAsync());
    }

    [Fact]
    public async Task WhatASiloSavesWhenItStopsComesBack()
    {
        using var directory = new TemporaryDirectory();
        string program = NativeProgram.CompileOwn("ordered", directory);
        using var cluster = new TestCluster(2, "--snapshot-on-stop") { Seats = true };
        await cluster.StartAllAsync();
        using (NativeProgram writer = NativeProgram.Start(program, Environment(cluster), "write"))
        {
            await writer.WaitForAsync("goes on");
            writer.Say("enough");
            Assert.Equal(0, await writer.EndAsync());
        }
        Assert.Equal(0, await cluster.Silo(1).StopAsync());
        SnapshotReport made = Assert.Single(await ListAsync(cluster));
        Assert.True(made.State == "complete" && made.Name.StartsWith("stop-"), $"{made.Name} is {made.State}: {made.Reason}{Logs(cluster, 2)}");
        await cluster.Silo(0).KillAsync();

        using var other = new TestCluster(1);
        await other.StartAllAsync();
        (int exit, _, string errors) = await RumProcess.RunAsync(
            "snapshot", "restore", "--machines", other.Machines, "--from", Path.Combine(cluster.DataOf(0), "snapshots"), Path.Combine(cluster.DataOf(1), "snapshots"));
        Assert.True(exit == 0, errors);
        await VerifyAsync(program, other, "ordered: 20480 pages right, 0 wrong, 0 lost", "single: 1024 pages right, 0 wrong, 0 lost", "order: 32 pairs, 0 broken");
    }

    private static async Task<SnapshotReport[]> ListAsync(TestCluster cluster)
    {
        (int exit, string output, string errors) = await RumProcess.RunAsync("snapshot", "list", "--machines", cluster.Machines, "--json");
        Assert.True(exit == 0, errors);
        return [.. JsonSerializer.Deserialize(output, ReportJson.Default.IReadOnlyListSnapshotReport)!];
    }

    // One damaged copy is made good by the other; of what has one copy the extent is lost by name, and the rest comes back.
    private static async Task DamageAsync(string program, TestCluster cluster, string[] files)
    {
        ulong single = 0;
        string? alone = null;
        int copies = 0;
        foreach (string path in files)
        {
            byte[] bytes = File.ReadAllBytes(path);
            SnapshotHeader header = SnapshotFormat.ReadHeader(bytes, out string why)!;
            Assert.True(header is not null, why);
            single = header.Segments.Single(segment => segment.Key == SegmentKey.FromName("single").Value).Id.Value;
            ushort[] pages = new ushort[SnapshotFormat.PagesPerBlock];
            int at = SnapshotFormat.HeaderLength(bytes, out _);
            while (SnapshotFormat.TryReadBlock(bytes.AsSpan(at), out SnapshotBlock block, pages))
            {
                bool its = block.Segment.Value == single;
                // The only copy of one, and one of the two copies of a block of the other.
                if (its && alone is null || (!its && block.Extent == 1 && copies++ == 0)) bytes[at + SnapshotFormat.Block + 100] ^= 1;
                if (its) alone = path;
                at += SnapshotFormat.Block * (1 + block.Count);
            }
            File.WriteAllBytes(path, bytes);
        }
        Assert.NotNull(alone);
        (int exit, string output, string errors) = await RumProcess.RunAsync(["snapshot", "restore", "--machines", cluster.Machines, "--replace", "--from", .. files]);
        Assert.True(exit == 4, output + errors);
        Assert.Contains($"Lost: extent 0 of segment {SegmentKey.FromName("single")}", output);
        Assert.Equal(1, output.Split('\n').Count(line => line.StartsWith("Lost:")));
        Assert.Contains("is damaged", errors);
        string verified = await VerifyAsync(program, cluster, "ordered: 20480 pages right, 0 wrong, 0 lost", "single: 0 pages right, 0 wrong, 1024 lost", "order: 32 pairs, 0 broken");
        Assert.Contains("(Lost)", verified);
    }

    private static async Task<string> VerifyAsync(string program, TestCluster cluster, params string[] lines)
    {
        using NativeProgram reader = NativeProgram.Start(program, Environment(cluster), "verify");
        await reader.ExitAsync();
        foreach (string line in lines) Assert.True(reader.Output.Contains(line), $"'{line}' is not in:\n{reader.Output}");
        return reader.Output;
    }

    private static Dictionary<string, string> Environment(TestCluster cluster) => new() { ["RUM_MACHINES"] = cluster.Machines, ["RUM_CACHE"] = "8M", ["RUM_TRANSPORT"] = "udp" };

    // What has one copy is in one file only.
    private static string WithoutSingle(string[] files) => files.First(path =>
    {
        SnapshotHeader header = SnapshotFormat.ReadHeader(File.ReadAllBytes(path), out _)!;
        return !header.Shards.Contains(header.Segments.Single(segment => segment.Key == SegmentKey.FromName("single").Value).FirstShard);
    });

    private static string[] Files(TestCluster cluster) =>
        [.. Enumerable.Range(0, 3).Select(silo => Path.Combine(cluster.DataOf(silo), "snapshots")).Where(Directory.Exists).SelectMany(Directory.GetFiles).Order()];

    private static string Logs(TestCluster cluster, int silos = 3) => "\n" + string.Join("\n---\n", Enumerable.Range(0, silos).Select(i => cluster.Silo(i).Errors));
}
