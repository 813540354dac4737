using Rum.Core;
using Rum.Pager.Linux;
using Rum.Pager.Session;

namespace Rum.Unit.Pager;

/// <summary>What a program is told where userfaultfd is refused, or has limits.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData(1, "Operation not permitted")]
    [InlineData(13, "Permission denied")]
    public void Without_userfaultfd_every_way_to_permit_it_is_named(int error, string words)
    {
        string why = Userfaultfd.Refusal(error);
        foreach (string way in new[] { words, "chmod 666 /dev/userfaultfd", "vm.unprivileged_userfaultfd=1", "CAP_SYS_PTRACE", "seccomp", "--device /dev/userfaultfd" })
            Assert.Contains(way, why);
        Assert.DoesNotContain('\n', why);
    }

    [Fact]
    public void Without_the_system_call_no_permission_is_promised()
    {
        Assert.DoesNotContain("chmod", Userfaultfd.Refusal(38));
        Assert.Contains("5.15", Userfaultfd.Refusal(38));
    }

    [Fact]
    public void Limits_are_told_in_a_line_each_and_only_where_they_hold()
    {
        ClientSettings settings = ClientSettings.Read(_ => null);
        Assert.Empty(RumRuntime.Warnings(userModeOnly: false, moves: true, settings));
        string line = Assert.Single(RumRuntime.Warnings(userModeOnly: true, moves: true, settings));
        Assert.Contains("EFAULT", line);
        Assert.Contains("rum_pin", line);
        Assert.Contains("O_DIRECT", Assert.Single(RumRuntime.Warnings(userModeOnly: false, moves: false, settings)));
        Assert.Empty(RumRuntime.Warnings(userModeOnly: true, moves: false, ClientSettings.Read(name => name == "RUM_LOG" ? "error" : null)));
    }

    [Theory]
    [InlineData("RUM_UDP_PAYLOAD", "9000")]
    [InlineData("RUM_UDP_PAYLOAD", "many")]
    [InlineData("RUM_TEST_DEFECT", "yes")]
    public void Settings_out_of_range_are_named(string name, string value)
    {
        RumException refused = Assert.Throws<RumException>(() => ClientSettings.Read(asked => asked == name ? value : null));
        Assert.Equal(RumError.BadConfiguration, refused.Error);
        Assert.Contains(name, refused.Message);
        Assert.Contains(value, refused.Message);
    }
}
