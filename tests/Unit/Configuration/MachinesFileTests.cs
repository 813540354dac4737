using System.Net;
using Rum.Core.Configuration;

namespace Rum.Unit.Tests.Configuration;

public sealed class MachinesFileTests
{
    private static MachinesFile Parse(string text)
    {
        Assert.True(MachinesFile.TryParse("machines.csv", text, out MachinesFile? file, out string error), error);
        return file!;
    }

    [Fact]
    public void ReadsTheOriginalsFormat()
    {
        MachinesFile file = Parse("10.0.0.1,aa:bb:cc:dd:ee:01\n10.0.0.2:7500,AA-BB-CC-DD-EE-02\n");
        Assert.Equal(2, file.Machines.Count);
        Assert.Equal(new Machine(IPEndPoint.Parse("10.0.0.1:7400"), "aa:bb:cc:dd:ee:01", 1), file.Council);
        Assert.Equal(new Machine(IPEndPoint.Parse("10.0.0.2:7500"), "aa:bb:cc:dd:ee:02", 2), file.Machines[1]);
        Assert.Equal(1, file.IndexOf(IPEndPoint.Parse("10.0.0.2:7500")));
        Assert.Equal(-1, file.IndexOf(IPEndPoint.Parse("10.0.0.2:7501")));
    }

    [Fact]
    public void SkipsCommentsAndBlankLinesAndKeepsLineNumbers()
    {
        MachinesFile file = Parse("\uFEFF# rack 1\r\n\r\n  10.0.0.1 , # no mac\r\n[fd00::1]:7401,aa:bb:cc:dd:ee:ff # six\r\nfd00::2");
        Assert.Equal([3, 4, 5], file.Machines.Select(m => m.Line));
        Assert.Equal(IPEndPoint.Parse("[fd00::1]:7401"), file.Machines[1].Endpoint);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("fd00::2"), 7400), file.Machines[2].Endpoint);
    }

    [Theory]
    [InlineData("", "m:1:1: no silo found")]
    [InlineData("# nothing\n\n", "m:3:1: no silo found")]
    [InlineData("10.0.0.1\nbanana,aa:bb:cc:dd:ee:ff", "m:2:1: 'banana' is not an IP address; expected")]
    [InlineData("10.1", "m:1:1: '10.1' is not an IP address")]
    [InlineData("  10.0.0.1:99999,", "m:1:12: '99999' is not a port; expected a number from 1 to 65535")]
    [InlineData("10.0.0.1:,", "m:1:10: '' is not a port")]
    [InlineData("[fd00::1:7400,", "m:1:14: ']' is missing")]
    [InlineData("[fd00::1]7400,", "m:1:10: expected ':port'")]
    [InlineData("10.0.0.1, aa:bb:cc:dd:eg:ff", "m:1:24: 'g' is out of place; expected a MAC")]
    [InlineData("10.0.0.1,aa:bb", "m:1:15: 'aa:bb' is too short; expected a MAC")]
    [InlineData("10.0.0.1,aa:bb:cc:dd:ee:ff,x", "m:1:27: unexpected ','")]
    [InlineData(",aa:bb:cc:dd:ee:ff", "m:1:1: an IP address is missing")]
    [InlineData("10.0.0.1\n10.0.0.1:7400", "m:2:1: 10.0.0.1:7400 stands already in line 1; expected each silo once")]
    public void SaysWhereAndWhat(string text, string expected)
    {
        Assert.False(MachinesFile.TryParse("m", text, out _, out string error));
        Assert.StartsWith(expected, error);
    }
}
