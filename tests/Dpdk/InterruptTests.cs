using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Rum.Dpdk.Tests;

/// <summary>These tests, run in a process of their own and interrupted in the middle, leave no process, no namespace and no file behind.</summary>
public sealed partial class InterruptTests
{
    private const int Interrupt = 2, KillSignal = 9;

    [Theory]
    [InlineData(Interrupt)]
    [InlineData(KillSignal)]
    public async Task Nothing_is_left_of_tests_that_are_interrupted(int signal)
    {
        // Skips where the machine can't do it.
        await using (DpdkCluster tried = await DpdkCluster.StartAsync(Way.Of("af_packet-bridged")))
        {
        }
        DirectoryInfo folder = Directory.CreateTempSubdirectory("rum-interrupt-");
        try
        {
            var start = new ProcessStartInfo(
                "dotnet", [typeof(InterruptTests).Assembly.Location, "-method", "*No_update_is_lost_over_a_wire_that_loses_frames"])
            { RedirectStandardOutput = true, RedirectStandardError = true };
            // By which its processes and files are told from all others; it is in the environment of each.
            start.Environment["TMPDIR"] = folder.FullName;
            using Process tests = Process.Start(start)!;
            Task output = tests.StandardOutput.ReadToEndAsync(), errors = tests.StandardError.ReadToEndAsync();
            string[] namespaces = [];
            await Eventually.Async(
                () =>
                {
                    int[] now = ProcessesOf(folder.FullName);
                    namespaces = [.. now.Select(NamespaceOf).Where(space => space.Length > 0 && space != NamespaceOf(Environment.ProcessId)).Distinct()];
                    // A silo and a program at work.
                    return namespaces.Length > 0 && now.Any(id => CommandOf(id).Contains("/stress", StringComparison.Ordinal));
                },
                "the tests have a silo and a program in a namespace", () => string.Join('\n', ProcessesOf(folder.FullName).Select(CommandOf)));
            Assert.Equal(0, Kill(tests.Id, signal));
            await Eventually.Async(() => tests.HasExited, $"the tests end after signal {signal}");
            await Eventually.Async(
                () => ProcessesOf(folder.FullName).Length == 0 && !AllProcesses().Select(NamespaceOf).Intersect(namespaces).Any(), "no process is left",
                () => string.Join('\n', ProcessesOf(folder.FullName).Select(CommandOf)));
            await Eventually.Async(
                () => !folder.EnumerateDirectories("rum-dpdk-*").Any(), "no files are left", () => string.Join('\n', folder.EnumerateFileSystemInfos().Select(file => file.Name)));
            await Task.WhenAll(output, errors);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static int[] AllProcesses() =>
        [.. new DirectoryInfo("/proc").EnumerateDirectories().Select(entry => int.TryParse(entry.Name, out int id) ? id : 0).Where(id => id > 0)];

    private static int[] ProcessesOf(string folder) => [.. AllProcesses().Where(id => Read(id, "environ").Contains(folder, StringComparison.Ordinal))];

    private static string CommandOf(int id) => Read(id, "cmdline").Replace('\0', ' ');

    private static string NamespaceOf(int id) => new FileInfo($"/proc/{id}/ns/net").LinkTarget ?? "";

    private static string Read(int id, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // It has ended, or is somebody else's.
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
