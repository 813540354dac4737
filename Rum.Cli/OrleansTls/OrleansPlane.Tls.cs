using System.Security.Cryptography.X509Certificates;
using Orleans.Connections.Security;
using Rum.Silo.Configuration;

namespace Rum.Cli.Planes;

/// <content>TLS between silos and at the gateway.</content>
internal sealed partial class OrleansPlane
{
    static partial void HasTls(ref bool can) => can = true;

    static partial void UseTls(ISiloBuilder silo, OrleansSettings settings)
    {
        X509Certificate2 own = X509CertificateLoader.LoadPkcs12FromFile(settings.TlsCertificate, null);
        X509Certificate2Collection? authority = null;
        if (settings.TlsAuthority.Length > 0)
        {
            authority = [];
            authority.ImportFromPemFile(settings.TlsAuthority);
        }
        silo.UseTls(options =>
        {
            options.LocalCertificate = own;
            // One mode for both ends of a link: a silo that asks for no certificate would, as the end that connects, not judge by our authority.
            options.RemoteCertificateMode = settings.TlsMutual ? RemoteCertificateMode.RequireCertificate : RemoteCertificateMode.AllowCertificate;
            options.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
            options.RemoteCertificateValidation = (certificate, chain, errors) => Trusts(authority, certificate, errors);
            options.OnAuthenticateAsClient = (_, authentication) => authentication.TargetHost = own.GetNameInfo(X509NameType.DnsName, false);
        });
    }

    // Silos are known by address and not by name: who signed the certificate is what counts.
    private static bool Trusts(X509Certificate2Collection? authority, X509Certificate2 certificate, System.Net.Security.SslPolicyErrors errors)
    {
        if (authority is null) return errors == System.Net.Security.SslPolicyErrors.None;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
