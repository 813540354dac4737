using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Rum.Core.Configuration;

/// <summary>Reads "ip[:port]"; IPv6 stands in brackets where a port follows. Names are not looked up: a silo's address must not depend on DNS.</summary>
public static class Endpoint
{
    /// <summary>The port of a silo unless something else is said.</summary>
    public const int DefaultPort = 7400;

    /// <summary>Reads an address; on failure <paramref name="error"/> says what is wrong and <paramref name="at"/> where (0-based).</summary>
    public static bool TryParse(ReadOnlySpan<char> text, int defaultPort, out IPEndPoint endpoint, out string error, out int at)
    {
        endpoint = new IPEndPoint(IPAddress.None, 0);
        error = "";
        at = 0;
        if (text.IsEmpty) { error = "an IP address is missing"; return false; }

        ReadOnlySpan<char> host = text;
        bool hasPort = false;
        int portAt = 0;
        if (text[0] == '[')
        {
            int close = text.IndexOf(']');
            if (close < 0) { at = text.Length; error = "']' is missing after the IPv6 address"; return false; }
            host = text[1..close];
            if (close + 1 < text.Length)
            {
                if (text[close + 1] != ':') { at = close + 1; error = "expected ':port' after ']'"; return false; }
                hasPort = true;
                portAt = close + 2;
            }
        }
        else if (text.Count(':') == 1)
        {
            int colon = text.IndexOf(':');
            hasPort = true;
            portAt = colon + 1;
            host = text[..colon];
        }

        if (!IsWholeAddress(host, out IPAddress? address))
        {
            error = $"'{host}' is not an IP address; expected one such as 10.0.0.1 or [fd00::1]";
            return false;
        }
        ReadOnlySpan<char> port = text[portAt..];
        int number = defaultPort;
        if (hasPort && (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number is < 1 or > 65535))
        {
            at = portAt;
            error = $"'{port}' is not a port; expected a number from 1 to 65535";
            return false;
        }
        endpoint = new IPEndPoint(address!, number);
        return true;
    }

    // IPAddress.TryParse takes "1" and "10.1" for addresses: a typing error would become a wrong address.
    private static bool IsWholeAddress(ReadOnlySpan<char> host, out IPAddress? address) =>
        IPAddress.TryParse(host, out address) && (address.AddressFamily == AddressFamily.InterNetworkV6 || host.Count('.') == 3);
}
