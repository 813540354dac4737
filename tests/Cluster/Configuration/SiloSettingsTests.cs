using System.Net;
using Rum.Silo.Configuration;

namespace Rum.Cluster.Tests.Configuration;

public sealed class SiloSettingsTests
{
    private const string Machines = "10.0.0.1,aa:bb:cc:dd:ee:01\n10.0.0.2\n10.0.0.2:7500\n";

    private static (SiloSettings? Settings, string Errors) Read(string address, params (string Key, string Text)[] values)
    {
        var all = values.ToDictionary(v => v.Key, v => new SettingValue(v.Text, "--" + v.Key));
        var reader = new SiloSettingsReader(all, path => path == "m.csv" ? Machines : throw new FileNotFoundException("no such file"), () => [IPAddress.Parse(address)]);
        return (reader.Read(), string.Join('\n', reader.Errors));
    }

    [Fact]
    public void FindsItselfByAddress()
    {
        (SiloSettings? settings, string errors) = Read("10.0.0.1", ("machines", "m.csv"), ("data", "/d"), ("memory", "1M"));
        Assert.True(settings is not null, errors);
        Assert.Equal(IPEndPoint.Parse("10.0.0.1:7400"), settings.Self);
        Assert.Equal(settings.Self, settings.Silos[0]);
        Assert.Equal("aa:bb:cc:dd:ee:01", settings.Mac);
        Assert.Equal(1 << 20, settings.Memory);
        // Only for this machine unless asked otherwise.
        Assert.Equal(IPEndPoint.Parse("127.0.0.1:7480"), settings.Http);
    }

    [Fact]
    public void ASiloWithoutADataDirectoryHasNoSeatButCanJoin()
    {
        Assert.Null(Read("0.0.0.0", ("machines", "m.csv"), ("self", "10.0.0.2:7500")).Settings!.DataDirectory);
        Assert.Contains("init: a cluster is born in a directory", Read("10.0.0.1", ("machines", "m.csv"), ("init", "true")).Errors);
    }

    [Fact]
    public void AsksForSelfWhenItCannotTell()
    {
        Assert.Contains("several lines of m.csv have addresses of this machine; say --self with one of 10.0.0.2:7400, 10.0.0.2:7500", Read("10.0.0.2", ("machines", "m.csv")).Errors);
        Assert.Contains("no line of m.csv has an address of this machine", Read("10.9.9.9", ("machines", "m.csv")).Errors);
        Assert.Contains("10.0.0.3:7400 (--self) stands in no line", Read("10.0.0.1", ("machines", "m.csv"), ("self", "10.0.0.3")).Errors);
    }

    [Fact]
    public void GathersAllErrors()
    {
        string errors = Read("10.0.0.1", ("dev", "true"), ("memory", "x"), ("cpu", "y"), ("lease", "1ms"), ("transport", "pigeon"), ("http", "1.2.3")).Errors;
        foreach (string key in new[] { "memory", "cpu", "lease", "transport", "http" }) Assert.Contains($"{key}: ", errors);
        Assert.Contains("expected one of auto, udp, shm", errors);
    }

    [Fact]
    public void FlagsWinOverTheEnvironmentAndTheFile()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("s.json"), """{ "memory": "1G", "cpu": 1, "lease": "5s", /* three */ "init": true }""");
        var sources = new SettingSources();
        sources.AddFile(directory.File("s.json"));
        sources.AddEnvironment(new Dictionary<string, string> { ["RUM_SILO_CPU"] = "2", ["RUM_SILO_LEASE"] = "6s", ["RUM_CACHE"] = "1M" });
        sources.AddFlag(SiloSetting.Find("lease")!, "7s");
        Assert.Empty(sources.Errors);
        Assert.Equal("1G", sources.Values["memory"].Text);
        Assert.Equal("2", sources.Values["cpu"].Text);
        Assert.Equal(new SettingValue("7s", "--lease"), sources.Values["lease"]);
        Assert.Equal("true", sources.Values["init"].Text);
    }

    [Theory]
    [InlineData("{ \"memory\": ", ":1:")]
    [InlineData("[]", "expected a JSON object")]
    [InlineData("{ \"memmory\": 1 }", "'memmory' is no setting of a silo")]
    [InlineData("{ \"memory\": {} }", "'memory' must be a string")]
    public void NamesWhatIsWrongInTheFile(string text, string expected)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("s.json"), text);
        var sources = new SettingSources();
        sources.AddFile(directory.File("s.json"));
        Assert.Contains(expected, Assert.Single(sources.Errors));
    }
}
