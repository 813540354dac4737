using System.Net;
using Microsoft.AspNetCore.Http;
using Rum.Silo.Http;

namespace Rum.Cluster.Tests.Http;

public sealed class HttpDoorTests
{
    private static async Task<(int Status, HttpContext Context)> AskAsync(string bound, string token, string path, Action<HttpRequest>? more = null, string host = "127.0.0.1:7480")
    {
        var context = new DefaultHttpContext();
        context.Request.Path = path.Split('?')[0];
        context.Request.QueryString = new QueryString(path.Contains('?') ? path[path.IndexOf('?')..] : "");
        context.Request.Host = new HostString(host);
        more?.Invoke(context.Request);
        await new HttpDoor(IPEndPoint.Parse(bound), token).PassAsync(context, passed =>
        {
            passed.Response.StatusCode = 299;
            return Task.CompletedTask;
        });
        return (context.Response.StatusCode, context);
    }

    [Theory]
    [InlineData("127.0.0.1:7480", "", "/rum", "localhost:7480", 299)]
    [InlineData("127.0.0.1:7480", "", "/rum", "[::1]:7480", 299)]
    [InlineData("127.0.0.1:7480", "", "/rum/api/segments", "evil.example:7480", 421)]
    [InlineData("127.0.0.1:7480", "", "/health", "anything.example", 299)]
    [InlineData("10.0.0.1:7480", "", "/rum", "silo.example", 299)]
    [InlineData("10.0.0.1:7480", "secret", "/rum", "silo.example", 401)]
    [InlineData("10.0.0.1:7480", "secret", "/health/ready", "silo.example", 299)]
    [InlineData("127.0.0.1:7480", "secret", "/stats", "localhost", 401)]
    public async Task WhoMayRead(string bound, string token, string path, string host, int expected) =>
        Assert.Equal(expected, (await AskAsync(bound, token, path, host: host)).Status);

    [Theory]
    [InlineData("Bearer secret", 299)]
    [InlineData("Bearer secret2", 401)]
    [InlineData("secret", 401)]
    [InlineData("Bearer ", 401)]
    public async Task TheTokenAsAHeader(string header, int expected) =>
        Assert.Equal(expected, (await AskAsync("10.0.0.1:7480", "secret", "/rum", request => request.Headers.Authorization = header)).Status);

    [Fact]
    public async Task TheTokenOfABrowserBecomesACookie()
    {
        (int status, HttpContext context) = await AskAsync("10.0.0.1:7480", "secret", "/rum?token=secret");
        Assert.Equal((302, "/rum"), (status, context.Response.Headers.Location.ToString()));
        string cookie = context.Response.Headers.SetCookie.ToString();
        Assert.Contains("rum_token=secret", cookie);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(299, (await AskAsync("10.0.0.1:7480", "secret", "/rum", request => request.Headers.Cookie = "rum_token=secret")).Status);
        Assert.Equal(401, (await AskAsync("10.0.0.1:7480", "secret", "/rum?token=wrong")).Status);
    }
}
