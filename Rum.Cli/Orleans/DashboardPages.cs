using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Dashboard;
using Rum.Silo.Configuration;

namespace Rum.Cli.Planes;

/// <summary>
/// Orleans' dashboard below /dashboard of the silo's own web pages, for user rum with the password of the settings. Without one in the settings a password is
/// drawn and logged: there is never none.
/// </summary>
internal sealed partial class DashboardPages : IDisposable
{
    private readonly byte[] _expected;
    private readonly ILogger _log;

    public DashboardPages(SiloSettings settings, ILogger log)
    {
        _log = log;
        string password = settings.Orleans.DashboardPassword;
        if (password.Length == 0)
        {
            password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
            if (settings.Http is not null) LogPassword(settings.Http.ToString(), password);
        }
        _expected = SHA256.HashData(Encoding.UTF8.GetBytes("rum:" + password));
    }

    /// <summary>The pages over an Orleans host's services, as long as that runs.</summary>
    public RequestDelegate Over(IServiceProvider services)
    {
        var app = new ApplicationBuilder(services);
        app.UseRouting();
        app.UseEndpoints(endpoints => endpoints.MapOrleansDashboard("/dashboard"));
        RequestDelegate pages = app.Build();
        return async context =>
        {
            if (!Knows(context.Request.Headers.Authorization.ToString()))
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"rum\", charset=\"UTF-8\"";
                return;
            }
            await using AsyncServiceScope scope = services.CreateAsyncScope();
            IServiceProvider before = context.RequestServices;
            context.RequestServices = scope.ServiceProvider;
            // The silo's own routing has found this delegate; the dashboard's finds the page.
            context.SetEndpoint(null);
            context.Request.RouteValues.Clear();
            try
            {
                await pages(context);
            }
            finally
            {
                context.RequestServices = before;
            }
        };
    }

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(_expected);

    // Compares hashes, which takes the same time whatever was said.
    private bool Knows(string header)
    {
        if (!header.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)) return false;
        byte[] said = new byte[header.Length];
        return Convert.TryFromBase64String(header["Basic ".Length..].Trim(), said, out int length)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(said.AsSpan(0, length)), _expected);
    }

    [LoggerMessage(350, LogLevel.Information, "Orleans' dashboard: http://{Http}/dashboard/ for user rum, password {Password}")]
    private partial void LogPassword(string http, string password);
}
