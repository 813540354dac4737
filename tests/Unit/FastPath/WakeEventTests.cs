using Rum.FastPath.Linux;
using Rum.FastPath.Memory;

namespace Rum.Unit.FastPath;

public sealed class WakeEventTests
{
    [Fact]
    public void It_is_readable_from_set_to_clear()
    {
        using var wake = new WakeEvent();
        Assert.False(Readable(wake));
        Assert.False(wake.Clear());
        wake.Set();
        wake.Set();
        Assert.True(Readable(wake));
        Assert.True(wake.Clear());
        Assert.False(Readable(wake));
        Assert.False(wake.Clear());
    }

    // The write wakes the owner, who may run before the setter does anything else.
    [Fact]
    public unsafe void A_setter_that_stops_behind_its_write_leaves_nothing_readable()
    {
        using var wake = new WakeEvent();
        ulong one = 1;
        Assert.Equal(sizeof(ulong), Descriptors.write(wake.Descriptor, &one, sizeof(ulong)));
        Assert.True(Readable(wake));
        wake.Clear();
        Assert.False(Readable(wake));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Whoever_waits_is_told_whether_the_first_is_readable(bool first, bool second)
    {
        using var one = new WakeEvent();
        using var two = new WakeEvent();
        if (first) one.Set();
        if (second) two.Set();
        Assert.Equal(1, Polling.WaitReadable([one.Descriptor, two.Descriptor], 20_000_000_000, out bool told));
        Assert.Equal(first, told);
    }

    private static bool Readable(WakeEvent wake) => Polling.WaitReadable([wake.Descriptor], 0) == 1;
}
