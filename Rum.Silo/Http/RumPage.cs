using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Rum.Core;
using Rum.Core.Council;
using Rum.Silo.Council;
using Rum.Silo.Reporting;

namespace Rum.Silo.Http;

/// <summary>The page /rum and what it reads below /rum/api. Its files are part of this assembly; it loads nothing from elsewhere and changes nothing.</summary>
internal sealed class RumPage(ClusterWatch watch, LocalView here)
{
    private const int RowsMax = 200;

    // Nothing of other origins is loaded, and nobody frames it.
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Adds its addresses.</summary>
    public void Map(WebApplication app)
    {
        MapFile(app, "/rum", "rum.html", "text/html; charset=utf-8");
        MapFile(app, "/rum/rum.css", "rum.css", "text/css; charset=utf-8");
        MapFile(app, "/rum/rum.js", "rum.js", "text/javascript; charset=utf-8");
        app.MapGet("/rum/api/local", () => Json(here.Report(), ReportJson.Default.LocalReport));
        app.MapGet("/rum/api/overview", (CancellationToken aborted) => AnswerAsync(watch.LookAsync, ReportJson.Default.OverviewReport, aborted));
        app.MapGet("/rum/api/ring", (CancellationToken aborted) => AnswerAsync(RingAsync, ReportJson.Default.RingReport, aborted));
        app.MapGet("/rum/api/segments", (string? search, CancellationToken aborted) =>
            AnswerAsync(cancellation => SegmentsAsync(search?.Trim() ?? "", cancellation), ReportJson.Default.SegmentPageReport, aborted));
        app.MapGet("/rum/api/sessions", (string? search, CancellationToken aborted) =>
            AnswerAsync(cancellation => SessionsAsync(search?.Trim() ?? "", cancellation), ReportJson.Default.SessionPageReport, aborted));
    }

    /// <summary>Whether a segment fits: its number, a part of its key, the name that the key was made of, its owner's or writer's number after "session".</summary>
    internal static bool Fits(SegmentReport segment, string search)
    {
        if (search.Length == 0) return true;
        if (search.StartsWith("session ", StringComparison.OrdinalIgnoreCase) && ulong.TryParse(search.AsSpan(8), NumberStyles.None, CultureInfo.InvariantCulture, out ulong session))
            return segment.Owner == session || segment.Writer == session;
        return segment.Id.ToString(CultureInfo.InvariantCulture) == search
            || (segment.Key.Length > 0 && (segment.Key.Contains(search, StringComparison.OrdinalIgnoreCase) || segment.Key == SegmentKey.FromName(search).ToString()));
    }

    /// <summary>Whether a session fits: its number, or a part of its client's or tenant's name.</summary>
    internal static bool Fits(SessionReport session, string search) =>
        search.Length == 0 || session.Id.ToString(CultureInfo.InvariantCulture) == search
        || session.Client.Contains(search, StringComparison.OrdinalIgnoreCase) || session.Tenant.Contains(search, StringComparison.OrdinalIgnoreCase);

    private async Task<RingReport> RingAsync(CancellationToken cancellation)
    {
        var status = await watch.AskAsync<StatusAnswer>(new Describe(), cancellation);
        var view = await watch.AskAsync<ViewAnswer>(new GetView(0), cancellation);
        return view.View is null ? new RingReport(0, status.Status.RingShards, []) : ReportMapper.Ring(view.View, status.Status.RingShards);
    }

    private async Task<SegmentPageReport> SegmentsAsync(string search, CancellationToken cancellation)
    {
        ClusterView view = (await watch.AskAsync<ViewAnswer>(new GetView(0), cancellation)).View!;
        var found = new List<SegmentReport>();
        SegmentsAnswer answer;
        SegmentId after = default;
        do
        {
            answer = await watch.AskAsync<SegmentsAnswer>(new ListSegments(after, CouncilMachine.ListMax), cancellation);
            found.AddRange(answer.Segments.Select(info => ReportMapper.Report(info, view)).Where(segment => Fits(segment, search)));
            if (answer.Segments.Count > 0) after = answer.Segments[^1].Id;
        }
        while (answer.More && answer.Segments.Count > 0 && found.Count <= RowsMax);
        return new SegmentPageReport(search, found.Count > RowsMax || answer.More, [.. found.Take(RowsMax)]);
    }

    private async Task<SessionPageReport> SessionsAsync(string search, CancellationToken cancellation)
    {
        var found = new List<SessionReport>();
        SessionsAnswer answer;
        SessionId after = default;
        do
        {
            answer = await watch.AskAsync<SessionsAnswer>(new ListSessions(after, CouncilMachine.ListMax), cancellation);
            found.AddRange(answer.Sessions.Select(ReportMapper.Report).Where(session => Fits(session, search)));
            if (answer.Sessions.Count > 0) after = answer.Sessions[^1].Id;
        }
        while (answer.More && answer.Sessions.Count > 0 && found.Count <= RowsMax);
        return new SessionPageReport(search, found.Count > RowsMax || answer.More, [.. found.Take(RowsMax)]);
    }

    private static void MapFile(WebApplication app, string path, string name, string type)
    {
        byte[] bytes = Resource(name);
        app.MapGet(path, (HttpContext context) =>
        {
            context.Response.Headers.ContentSecurityPolicy = Policy;
            context.Response.Headers.XContentTypeOptions = "nosniff";
            context.Response.Headers.CacheControl = "no-cache";
            return Results.Bytes(bytes, type);
        });
    }

    private static byte[] Resource(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Rum.Silo.Http.Page." + name)
            ?? throw new InvalidOperationException($"{name} is not in this assembly");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private static async Task<IResult> AnswerAsync<T>(Func<CancellationToken, Task<T>> ask, JsonTypeInfo<T> type, CancellationToken aborted)
    {
        try
        {
            return Json(await ask(aborted), type);
        }
        catch (CouncilUnreachableException e)
        {
            return Results.Text(e.Message + "\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        }
        catch (OperationCanceledException)
        {
            return Results.StatusCode(StatusCodes.Status499ClientClosedRequest);
        }
    }

    private static IResult Json<T>(T value, JsonTypeInfo<T> type) => Results.Text(JsonSerializer.Serialize(value, type) + "\n", "application/json");
}
