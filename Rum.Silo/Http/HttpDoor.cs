using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Rum.Silo.Http;

/// <summary>
/// Who may read the web pages. /health is for everybody who reaches it. The rest: with a token only who shows it (Authorization: Bearer, or once
/// as ?token=, which becomes a cookie); without one, at the loopback, only who calls this machine by a loopback name, so that a web page elsewhere
/// can't read them through a name that it points here.
/// </summary>
internal sealed class HttpDoor(IPEndPoint address, string token)
{
    private const string Cookie = "rum_token";
    private readonly byte[] _token = Encoding.UTF8.GetBytes(token);

    /// <summary>Lets a request through, or answers it.</summary>
    public async Task PassAsync(HttpContext context, RequestDelegate next)
    {
        HttpRequest request = context.Request;
        if (request.Path.StartsWithSegments("/health"))
        {
            await next(context);
        }
        else if (_token.Length == 0)
        {
            if (!IPAddress.IsLoopback(address.Address) || NamesLoopback(request.Host.Host)) await next(context);
            else await RefuseAsync(context, StatusCodes.Status421MisdirectedRequest, "ask for 127.0.0.1 or localhost\n");
        }
        else if (request.Query.TryGetValue("token", out var asked) && IsRight(asked.ToString()))
        {
            context.Response.Cookies.Append(Cookie, asked.ToString(), new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/" });
            context.Response.Redirect(request.Path);
        }
        else if (IsRight(Bearer(request)) || IsRight(request.Cookies[Cookie] ?? ""))
        {
            await next(context);
        }
        else
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "a token is needed: Authorization: Bearer TOKEN, or /rum?token=TOKEN once in a browser (setting http-token)\n");
        }
    }

    private static bool NamesLoopback(string host) =>
        host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip));

    private static string Bearer(HttpRequest request)
    {
        string header = request.Headers.Authorization.ToString();
        return header.StartsWith("Bearer ", StringComparison.Ordinal) ? header[7..] : "";
    }

    private bool IsRight(string shown) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(shown), _token);

    private static Task RefuseAsync(HttpContext context, int code, string why)
    {
        context.Response.StatusCode = code;
        return context.Response.WriteAsync(why);
    }
}
