using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
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
/// council doesn't hear), /status (the cluster), /stats (its counters), /rum (all of it for people). Read-only.
/// </summary>
public sealed class SiloHttp : IAsyncDisposable
{
    private static readonly TimeSpan StatusPatience = TimeSpan.FromSeconds(2);

    private readonly IPEndPoint _address;
    private readonly WebApplication _app;
    private readonly ClusterWatch _watch;

    /// <summary>Pages at an address; nothing listens before <see cref="StartAsync"/>. A token that isn't empty must be shown by who reads them.</summary>
    public SiloHttp(IPEndPoint address, string token, Membership membership, ICouncil council, LocalView here, SiloMetrics metrics, ILoggerFactory loggers,
        Func<RequestDelegate?> dashboard)
    {
        _address = address;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address);
        });
        _app = builder.Build();
        _watch = new ClusterWatch(council, here, token);
        var door = new HttpDoor(address, token);
        _app.Use(next => context => door.PassAsync(context, next));
        new RumPage(_watch, here).Map(_app);
        _app.MapGet("/health/live", () => Results.Text("live\n"));
        _app.MapGet("/health/ready", () => membership.Ready
            ? Results.Text("ready\n")
            : Results.Text($"not ready: {(membership.Trouble.Length > 0 ? membership.Trouble : "not a member yet")}\n", statusCode: StatusCodes.Status503ServiceUnavailable));
        _app.MapGet("/health", (CancellationToken aborted) => HealthAsync(membership, council, aborted));
        _app.MapGet("/stats", () => Json(metrics.Report(), ReportJson.Default.StatsReport));
        _app.MapGet("/status", (CancellationToken aborted) => StatusAsync(council, aborted));
        _app.Map("/dashboard/{**path}", context => dashboard()?.Invoke(context) ?? NoDashboardAsync(context));
        _app.MapGet("/", () => Results.Text("rum silo: /rum /health /health/live /health/ready /status /stats\n"));
    }

    /// <summary>Listens. Throws <see cref="SiloStartException"/> when the address can't be had.</summary>
    public async Task StartAsync(CancellationToken stop)
    {
        try
        {
            await _app.StartAsync(stop);
        }
        catch (IOException e)
        {
            throw new SiloStartException($"HTTP address {_address} can't be used: {e.Message}. Choose another with --http, or --http off", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _watch.Dispose();
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
