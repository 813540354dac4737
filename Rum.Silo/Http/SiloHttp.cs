using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Rum.Core.Council;
using Rum.Silo.Control;
using Rum.Silo.Council;
using Rum.Silo.Reporting;

namespace Rum.Silo.Http;

/// <summary>
/// The silo's web pages: /health/live (the process answers), /health/ready (it is a member and serves), /health (the same as JSON, and which silos the
/// council doesn't hear), /status (the cluster), /stats (its counters), /rum (all of it for people). Read-only. The web server runs only while it is asked: its timer, which can't be
/// set, looks each second, and would be most of what an idle silo does.
/// </summary>
public sealed class SiloHttp : IAsyncDisposable
{
    private static readonly TimeSpan StatusPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);
    private const int Backlog = 512;

    private readonly IPEndPoint _address;
    private readonly ILoggerFactory _loggers;
    private readonly Action<WebApplication> _map;
    private readonly TimeSpan _restsAfter;
    private readonly Socket _listener;
    private readonly ClusterWatch _watch;
    private readonly CancellationTokenSource _stop = new();
    private Task _accepting = Task.CompletedTask;
    private volatile bool _serving;

    /// <summary>Pages at an address; nothing listens before <see cref="StartAsync"/>. A token that isn't empty must be shown by who reads them.</summary>
    public SiloHttp(IPEndPoint address, string token, Membership membership, ICouncil council, LocalView here, SiloMetrics metrics, ILoggerFactory loggers,
        Func<RequestDelegate?> dashboard, TimeSpan restsAfter)
    {
        _address = address;
        _loggers = loggers;
        _restsAfter = restsAfter;
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _watch = new ClusterWatch(council, here, token);
        var door = new HttpDoor(address, token);
        _map = app =>
        {
            app.Use(next => context => door.PassAsync(context, next));
            new RumPage(_watch, here).Map(app);
            app.MapGet("/health/live", () => Results.Text("live\n"));
            app.MapGet("/health/ready", () => membership.Ready
                ? Results.Text("ready\n")
                : Results.Text($"not ready: {(membership.Trouble.Length > 0 ? membership.Trouble : "not a member yet")}\n", statusCode: StatusCodes.Status503ServiceUnavailable));
            app.MapGet("/health", (CancellationToken aborted) => HealthAsync(membership, council, aborted));
            app.MapGet("/stats", () => Json(metrics.Report(), ReportJson.Default.StatsReport));
            app.MapGet("/status", (CancellationToken aborted) => StatusAsync(council, aborted));
            app.Map("/dashboard/{**path}", context => dashboard()?.Invoke(context) ?? NoDashboardAsync(context));
            app.MapGet("/", () => Results.Text("rum silo: /rum /health /health/live /health/ready /status /stats\n"));
        };
    }

    /// <summary>Whether the web server runs, and its timer with it.</summary>
    public bool Serving => _serving;

    /// <summary>Listens. Throws <see cref="SiloStartException"/> when the address can't be had.</summary>
    public Task StartAsync(CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        try
        {
            _listener.Bind(_address);
            _listener.Listen(Backlog);
        }
        catch (SocketException e)
        {
            throw new SiloStartException($"HTTP address {_address} can't be used: {e.Message}. Choose another with --http, or --http off", e);
        }
        _accepting = Task.Run(AcceptAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _watch.Dispose();
        _stop.Dispose();
    }

    // One connection after the other is handed to the server; the first starts it, and when all are closed and none has come for a while it is stopped.
    private async Task AcceptAsync()
    {
        WebApplication? app = null;
        HandedConnections? connections = null;
        Task<Socket> next = NextAsync();
        try
        {
            while (true)
            {
                if (app is not null && await Task.WhenAny(next, Task.Delay(_restsAfter, _stop.Token)) != next)
                {
                    if (_stop.IsCancellationRequested) return;
                    if (connections!.Open > 0) continue;
                    await StopAsync(app);
                    (app, connections) = (null, null);
                    _serving = false;
                }
                Socket connection = await next;
                next = NextAsync();
                if (app is null)
                {
                    (app, connections) = Build();
                    await app.StartAsync(_stop.Token);
                    _serving = true;
                }
                connection.NoDelay = true;
                connections!.Hand(connection);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The silo stops.
        }
        finally
        {
            if (app is not null) await StopAsync(app);
        }
    }

    // Who hangs up before he is taken is nobody's trouble.
    private async Task<Socket> NextAsync()
    {
        while (true)
        {
            try
            {
                return await _listener.AcceptAsync(_stop.Token);
            }
            catch (SocketException) when (!_stop.IsCancellationRequested)
            {
                await Task.Delay(10, _stop.Token);
            }
        }
    }

    private (WebApplication App, HandedConnections Connections) Build()
    {
        var connections = new HandedConnections(_loggers);
        // Without the files that a web application looks for in the directory it is started in, and watches.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(_loggers);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(_address);
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(connections);
        WebApplication app = builder.Build();
        _map(app);
        return (app, connections);
    }

    private static async Task StopAsync(WebApplication app)
    {
        using var patience = new CancellationTokenSource(StopPatience);
        try
        {
            await app.StopAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            // Somebody reads slowly.
        }
        await app.DisposeAsync();
    }

    private static Task NoDashboardAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return context.Response.WriteAsync("there is no dashboard here now: only the orleans plane has one (rum silo run --plane orleans)\n");
    }

    // A silo that is silent elsewhere makes this one no less ready: only the report names it.
    private static async Task<IResult> HealthAsync(Membership membership, ICouncil council, CancellationToken aborted)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        patience.CancelAfter(StatusPatience);
        ClusterStatus? status = null;
        try
        {
            status = (await council.AskAsync(new Describe(), patience.Token) as StatusAnswer)?.Status;
        }
        catch (Exception e) when (e is CouncilUnreachableException or OperationCanceledException)
        {
            // The silo's own trouble says so already.
        }
        HealthReport report = ReportMapper.Report(membership.Ready, membership.Trouble, status);
        return Json(report, ReportJson.Default.HealthReport, report.Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> StatusAsync(ICouncil council, CancellationToken aborted)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        patience.CancelAfter(StatusPatience);
        try
        {
            CouncilAnswer answer = await council.AskAsync(new Describe(), patience.Token);
            return answer is StatusAnswer status
                ? Json(ReportMapper.Report(status.Status), ReportJson.Default.ClusterReport)
                : Results.Text($"the council refuses: {answer.Message}\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
        catch (Exception e) when (e is CouncilUnreachableException or OperationCanceledException)
        {
            return Results.Text($"the council did not answer: {e.Message}\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }

    private static IResult Json<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, int code = StatusCodes.Status200OK) =>
        Results.Text(JsonSerializer.Serialize(value, type) + "\n", "application/json", statusCode: code);
}
