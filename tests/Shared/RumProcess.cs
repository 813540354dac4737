using System.Net;

namespace Rum.Tests;

/// <summary>The real <c>rum</c> as a process of its own.</summary>
internal sealed class RumProcess : TestProcess
{
    private RumProcess(IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
        : base("dotnet", [Path.Combine(AppContext.BaseDirectory, "rum.dll"), .. arguments], environment)
    {
    }

    public string Output => StandardOutput;

    public string Errors => StandardError;

    public static RumProcess Start(params string[] arguments) => Start(new Dictionary<string, string>(), arguments);

    public static RumProcess Start(IReadOnlyDictionary<string, string> environment, params string[] arguments) => new(arguments, environment);

    /// <summary>Runs to the end: exit code, stdout, stderr.</summary>
    public static async Task<(int Exit, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using RumProcess process = Start(arguments);
        return (await process.ExitAsync(), process.Output, process.Errors);
    }

    /// <summary>Waits until a silo is ready whose port is <paramref name="port"/>, as its web pages 80 above say.</summary>
    public Task ReadyAsync(int port) => Eventually.Async(
        async () => HasExited ? throw new InvalidOperationException($"it ended:\n{Said}") : await GetAsync(port, "/health/ready") == (HttpStatusCode.OK, "ready\n"),
        $"the silo at port {port} is ready",
        () => Said);

    /// <summary>What a silo's web page says; ServiceUnavailable: nothing, now.</summary>
    public static async Task<(HttpStatusCode Status, string Text)> GetAsync(int port, string path)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        try
        {
            using HttpResponseMessage answer = await http.GetAsync($"http://127.0.0.1:{port + 80}{path}");
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return (HttpStatusCode.ServiceUnavailable, "");
        }
    }

    public Task WaitForErrorAsync(string text) => Eventually.Async(() => Errors.Contains(text), $"'{text}' on stderr", () => Errors);
}
