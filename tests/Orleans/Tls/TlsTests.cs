using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orleans.Connections.Security;
using Rum.Cluster.Tests;
using Rum.Grains.Tests.Processes;

namespace Rum.Grains.Tests.Tls;

/// <summary>TLS between silos and at the gateways, with an authority of the test's own.</summary>
public sealed class TlsTests
{
    private static readonly TimeSpan Refused = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_plain_client_is_refused_and_one_with_TLS_served()
    {
        using var directory = new TemporaryDirectory();
        using var authority = new Authority(directory);
        await using var silos = new OrleansProcesses(2, "--tls-certificate", authority.Issue("silo.p12"), "--tls-authority", authority.Path);
        await silos.StartAsync();
        await RefusedAsync(silos, null);
        ClusterMembers members = await (await silos.ConnectAsync(client => UseTls(client, authority, null))).GetGrain<IClusterGrain>(0).MembersAsync();
        Assert.Equal(2, members.Members.Length);
    }

    [Fact]
    public async Task Where_both_ends_show_certificates_one_without_or_of_a_stranger_is_refused()
    {
        using var directory = new TemporaryDirectory();
        using var authority = new Authority(directory);
        using var elsewhere = new TemporaryDirectory();
        using var stranger = new Authority(elsewhere);
        await using var silos = new OrleansProcesses(2, "--tls-certificate", authority.Issue("silo.p12"), "--tls-authority", authority.Path, "--tls-mutual");
        await silos.StartAsync();
        await RefusedAsync(silos, client => UseTls(client, authority, null));
        await RefusedAsync(silos, client => UseTls(client, authority, stranger.Issue("client.p12")));
        ClusterMembers members = await (await silos.ConnectAsync(client => UseTls(client, authority, authority.Issue("client.p12")))).GetGrain<IClusterGrain>(0).MembersAsync();
        Assert.Equal(2, members.Members.Length);
    }

    // A client that is refused tries again for ever: it is refused if it has not connected in a time in which the others do many times over.
    private static async Task RefusedAsync(OrleansProcesses silos, Action<IClientBuilder>? configure)
    {
        Task<IClusterClient> connecting = silos.ConnectAsync(configure);
        Assert.NotSame(connecting, await Task.WhenAny(connecting, Task.Delay(Refused)));
        _ = connecting.ContinueWith(static late => late.Exception, TaskScheduler.Default);
    }

    private static void UseTls(IClientBuilder client, Authority authority, string? certificate) => client.UseTls(options =>
    {
        if (certificate is not null) options.LocalCertificate = X509CertificateLoader.LoadPkcs12FromFile(certificate, null);
        options.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        options.RemoteCertificateValidation = (remote, _, _) => authority.Signed(remote);
        options.OnAuthenticateAsClient = (_, authentication) => authentication.TargetHost = "rum-test";
    });

    private sealed class Authority : IDisposable
    {
        private readonly TemporaryDirectory _directory;
        private readonly X509Certificate2 _root;

        public Authority(TemporaryDirectory directory)
        {
            _directory = directory;
            using RSA key = RSA.Create(2048);
            var request = new CertificateRequest("CN=test authority", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            File.WriteAllText(Path, _root.ExportCertificatePem());
        }

        public string Path => _directory.File("authority.pem");

        public string Issue(string file)
        {
            using RSA key = RSA.Create(2048);
            var request = new CertificateRequest("CN=rum-test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
            using X509Certificate2 signed = request.Create(_root, _root.NotBefore, _root.NotAfter, RandomNumberGenerator.GetBytes(8)).CopyWithPrivateKey(key);
            File.WriteAllBytes(_directory.File(file), signed.Export(X509ContentType.Pkcs12));
            return _directory.File(file);
        }

        public bool Signed(X509Certificate2 certificate)
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(_root);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            return chain.Build(certificate);
        }

        public void Dispose() => _root.Dispose();
    }
}
