using System.Net.Http.Headers;
using System.Text.Json;
using Rum.Core.Council;
using Rum.Silo.Council;
using Rum.Silo.Reporting;

namespace Rum.Silo.Http;

/// <summary>
/// The whole cluster as one silo sees it: the council's status, and what each silo says of itself on its own web pages. Asks only when somebody looks, and
/// for all who look at the same time once.
/// </summary>
public sealed class ClusterWatch(ICouncil council, LocalView here, string token) : IDisposable
{
    private static readonly TimeSpan AskPatience = TimeSpan.FromSeconds(2), SiloPatience = TimeSpan.FromMilliseconds(800), Fresh = TimeSpan.FromMilliseconds(400);

    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = SiloPatience, UseProxy = false }) { Timeout = SiloPatience };
    private readonly SemaphoreSlim _turn = new(1, 1);
    private OverviewReport? _last;
    private long _lastAt;

    /// <summary>The cluster now, or as it was less than half a second ago. Throws <see cref="CouncilUnreachableException"/>.</summary>
    public async Task<OverviewReport> LookAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            if (_last is not null && TimeSpan.FromMilliseconds(Environment.TickCount64 - _lastAt) < Fresh) return _last;
            _last = await AskAllAsync(cancellation);
            _lastAt = Environment.TickCount64;
            return _last;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Asks the council; throws <see cref="CouncilUnreachableException"/> also when it takes too long or refuses.</summary>
    public async Task<T> AskAsync<T>(CouncilRequest request, CancellationToken cancellation) where T : CouncilAnswer
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(AskPatience);
        try
        {
            CouncilAnswer answer = await council.AskAsync(request, patience.Token);
            return answer as T ?? throw new CouncilUnreachableException($"the council refuses: {answer.Message}");
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new CouncilUnreachableException($"the council did not answer within {AskPatience.TotalSeconds:0} s", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _turn.Dispose();
    }

    private async Task<OverviewReport> AskAllAsync(CancellationToken cancellation)
    {
        var answer = await AskAsync<StatusAnswer>(new Describe(), cancellation);
        ClusterReport cluster = ReportMapper.Report(answer.Status);
        string host = cluster.Silos.FirstOrDefault(IsHere)?.HostId ?? "";
        (LocalReport? Local, string Missing)[] said = await Task.WhenAll(cluster.Silos.Select(silo => AskSiloAsync(silo, host, cancellation)));
        var live = new List<LiveReport>();
        for (int i = 0; i < said.Length; i++)
        {
            int id = cluster.Silos[i].Id;
            live.Add(said[i].Local is { } local ? ReportMapper.Live(id, local) : new LiveReport(id, said[i].Missing, 0, 0, 0, 0, 0, []));
        }
        LocalReport? leader = said.Select(one => one.Local).FirstOrDefault(local => local is { Leads: true });
        return new OverviewReport(
            here.Name, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), answer.ViewDecree, cluster, live, leader?.Events ?? [],
            leader is null ? "the silo that leads the council can't be asked from here" : "");
    }

    private bool IsHere(SiloReport silo) => silo.Incarnation == here.Incarnation;

    private async Task<(LocalReport?, string)> AskSiloAsync(SiloReport silo, string host, CancellationToken cancellation)
    {
        if (IsHere(silo)) return (here.Report(), "");
        if (silo.State == "left") return (null, "it left");
        if (silo.Http.Length == 0) return (null, "it has no web pages (--http off)");
        var address = new Uri(silo.Http);
        if (address.IsLoopback && silo.HostId != host && host.Length > 0) return (null, "its web pages are for its own machine only (--http)");
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/rum/api/local"));
            if (token.Length > 0) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using HttpResponseMessage response = await _http.SendAsync(request, cancellation);
            if (!response.IsSuccessStatusCode) return (null, $"its web pages refuse: {(int)response.StatusCode}");
            await using Stream body = await response.Content.ReadAsStreamAsync(cancellation);
            return (await JsonSerializer.DeserializeAsync(body, ReportJson.Default.LocalReport, cancellation), "");
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return (null, "it doesn't answer");
        }
    }
}
