using System.Diagnostics;
using Rum.Cluster.Tests;

namespace Rum.Grains.Tests.Processes;

/// <summary>Membership in Redis and in PostgreSQL, as Debian has them; skipped where they aren't.</summary>
public sealed class ClusteringTests
{
    [Fact]
    public async Task Redis_may_go_away_and_come_back()
    {
        string redis = Find("redis-server", "/usr/bin");
        using var directory = new TemporaryDirectory();
        int port = Ports.Free();
        string[] arguments = ["--port", $"{port}", "--bind", "127.0.0.1", "--dir", directory.Path, "--appendonly", "yes", "--save", ""];
        using Server first = await Server.StartAsync(redis, arguments, "Ready to accept connections");
        await using var silos = new OrleansProcesses(2, "--clustering", "redis", "--connection", $"127.0.0.1:{port},abortConnect=false");
        await TableGoesAwayAsync(silos, first, () => Server.StartAsync(redis, arguments, "Ready to accept connections"));
    }

    [Fact]
    public async Task PostgreSQL_may_go_away_and_come_back()
    {
        string folder = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Order().LastOrDefault() + "/bin" : "/usr/bin";
        string postgres = Find("postgres", folder), initdb = Find("initdb", folder), psql = Find("psql", "/usr/bin");
        if (Environment.UserName != "root") Assert.Skip("not root: PostgreSQL's own user can't be taken on");
        using var directory = new TemporaryDirectory();
        string data = directory.File("data");
        // PostgreSQL refuses to run as root.
        string[] asUser = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
        await RunAsync("chown", "postgres", directory.Path);
        await RunAsync("setpriv", [.. asUser, initdb, "-D", data, "-A", "trust", "-U", "rum", "--no-sync"]);
        int port = Ports.Free();
        string[] arguments = [.. asUser, postgres, "-D", data, "-p", $"{port}", "-c", "listen_addresses=127.0.0.1", "-k", directory.Path, "-c", "fsync=off"];
        using Server first = await Server.StartAsync("setpriv", arguments, "ready to accept connections");
        await RunAsync(psql, "-h", "127.0.0.1", "-p", $"{port}", "-U", "rum", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "-f", Path.Combine(Repository.Root, "eng", "sql", "orleans-membership.sql"));
        await using var silos = new OrleansProcesses(2, "--clustering", "adonet", "--connection", $"Host=127.0.0.1;Port={port};Username=rum;Database=postgres");
        await TableGoesAwayAsync(silos, first, () => Server.StartAsync("setpriv", arguments, "ready to accept connections"));
    }

    // What was there goes on without the table; a silo that starts meanwhile serves pages and joins when the table is back.
    private static async Task TableGoesAwayAsync(OrleansProcesses silos, Server table, Func<Task<Server>> restart)
    {
        await silos.StartAsync();
        Worker worker = await Worker.StartAsync(await silos.CallsAsync(), "table");
        await worker.GoesOnAsync();
        await table.KillAsync();
        await worker.GoesOnAsync(100);
        Assert.Equal(2, (await silos.Cluster.StatusAsync()).Silos.Count(s => s.State == "up"));
        using Server back = await restart();
        await worker.GoesOnAsync();
        Assert.Equal(0, await silos.Cluster.Silo(1).StopAsync());
        silos.Cluster.Start(1);
        await silos.Cluster.ReadyAsync(1);
        await worker.GoesOnAsync();
        await worker.StopAsync();
    }

    private static string Find(string program, string folder)
    {
        string path = Path.Combine(folder, program);
        if (!File.Exists(path)) Assert.Skip($"{path} is not there (apt-get install {(program == "redis-server" ? "redis-server" : "postgresql")})");
        return path;
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {errors}{await output}");
    }

    private sealed class Server(string program, string[] arguments) : TestProcess(program, arguments, new Dictionary<string, string>())
    {
        /// <summary>Starts it until it is ready: the helpers of one that was killed may hold its files for a moment.</summary>
        public static async Task<Server> StartAsync(string program, string[] arguments, string ready)
        {
            Server server = new(program, arguments);
            await Eventually.Async(
                () =>
                {
                    if (server.Said.Contains(ready)) return true;
                    if (!server.HasExited) return false;
                    server.Dispose();
                    server = new Server(program, arguments);
                    return false;
                },
                $"{program} is ready",
                () => server.Said);
            return server;
        }
    }
}
