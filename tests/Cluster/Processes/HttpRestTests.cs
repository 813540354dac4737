namespace Rum.Cluster.Tests.Processes;

/// <summary>The silo's web server, whose timer looks each second, runs only while somebody asks.</summary>
public sealed class HttpRestTests
{
    [Fact]
    public async Task TheWebServerRestsWhenNobodyAsksAndComesBack()
    {
        using var cluster = new TestCluster(1);
        await cluster.StartAllAsync();
        for (int round = 0; round < 2; round++)
        {
            // Asked at each look: it can't rest between the question and the look.
            await Eventually.Async(
                async () => await cluster.GetAsync(0, "/health/live") == (System.Net.HttpStatusCode.OK, "live\n") && Threads(cluster).Contains("Kestrel Timer"), "the web server runs while it is asked",
                () => Threads(cluster));
            await Eventually.Async(() => !Threads(cluster).Contains("Kestrel Timer"), "the web server rests", () => cluster.Silo(0).Errors);
            Assert.Equal((System.Net.HttpStatusCode.OK, "ready\n"), await cluster.GetAsync(0, "/health/ready"));
            // Its pages are all there again.
            Assert.Contains("rum.silo.pages", (await cluster.GetAsync(0, "/stats")).Text);
            Assert.Contains("<html", (await cluster.GetAsync(0, "/rum")).Text);
        }
        Assert.DoesNotContain("File Watch", Threads(cluster));
    }

    private static string Threads(TestCluster cluster) =>
        string.Join(", ", Directory.EnumerateDirectories($"/proc/{cluster.Silo(0).Id}/task").Select(static task =>
        {
            try { return File.ReadAllText(Path.Combine(task, "comm")).Trim(); }
            catch (IOException) { return ""; }
        }));
}
