using Rum.Core;
using Rum.Core.Sessions;

namespace Rum.Tests.Unit.Core;

public sealed class SilenceTests
{
    private const long Second = 1_000_000_000;
    private readonly SilenceTable _table = new();
    private readonly List<SiloId> _silent = [];

    [Fact]
    public void ASilentSiloIsNoticedOnceAndAgainAfterItSpoke()
    {
        var silo = new SiloId(3);
        Assert.False(_table.Hear(silo, 0));
        Assert.Empty(Notice(SilenceTable.NoticeNs - 1));
        Assert.Equal([silo], Notice(SilenceTable.NoticeNs));
        Assert.Empty(Notice(10 * Second));
        Assert.Equal(10 * Second, _table.SilentNs(silo, 10 * Second));
        Assert.True(_table.Hear(silo, 11 * Second));
        Assert.False(_table.Hear(silo, 12 * Second));
        Assert.Equal(0, _table.SilentNs(silo, 12 * Second));
        Assert.Equal([silo], Notice(20 * Second));
    }

    [Fact]
    public void WhoLeftOrWasNeverThereIsNotExpectedToSpeak()
    {
        var silo = new SiloId(3);
        _table.Hear(silo, 0);
        _table.Forget(silo);
        Assert.Empty(Notice(100 * Second));
        Assert.Equal(0, _table.SilentNs(silo, 100 * Second));
        Assert.Equal(0, _table.SilentNs(new SiloId(9), 100 * Second));
    }

    [Fact]
    public void TheNextToBecomeSilentIsTheOneHeardLongestAgo()
    {
        Assert.Equal(long.MaxValue, _table.NextDueNs());
        _table.Hear(new SiloId(3), 2 * Second);
        _table.Hear(new SiloId(4), 5 * Second);
        Assert.Equal(2 * Second + SilenceTable.NoticeNs, _table.NextDueNs());
        Notice(_table.NextDueNs());
        Assert.Equal(5 * Second + SilenceTable.NoticeNs, _table.NextDueNs());
        _table.Forget(new SiloId(4));
        Assert.Equal(long.MaxValue, _table.NextDueNs());
    }

    private List<SiloId> Notice(long nowNs)
    {
        _table.Notice(nowNs, _silent);
        return _silent;
    }
}
