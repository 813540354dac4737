using Rum.Core;
using Rum.Core.Sessions;

namespace Rum.Tests.Unit.Core;

public sealed class SilenceTests
{
    private const long Second = 1_000_000_000;
    private static readonly SilenceOptions Options = new();
    private static readonly SiloId Silo = new(3);
    private static readonly Incarnation Life = new(7);
    private readonly SilenceTable _table = new(Options);
    private readonly List<SiloId> _silent = [];

    [Fact]
    public void ASilentSiloIsNoticedOnceAndAgainAfterItSpoke()
    {
        _table.Expect(Silo, Life, 0);
        Assert.False(Sign(1, Second));
        Assert.Empty(Notice((2 * Second) - 1));
        Assert.Equal([Silo], Notice(2 * Second));
        Assert.Empty(Notice(10 * Second));
        Assert.Equal(9 * Second, _table.SilentNs(Silo, 10 * Second));
        Assert.True(Sign(2, 11 * Second));
        Assert.False(Sign(3, 12 * Second));
        Assert.Equal(0, _table.SilentNs(Silo, 12 * Second));
        Assert.Equal([Silo], Notice(20 * Second));
    }

    [Fact]
    public void UntilItsFirstSignTheControlPlaneSpeaksForItButNotForEver()
    {
        _table.Expect(Silo, Life, 0);
        for (long now = Second; now < Options.JoiningNs; now += Second) _table.HearControl(Silo, Life, now);
        Assert.Empty(Notice(Options.JoiningNs + Second));
        for (long now = Options.JoiningNs; now <= 20 * Second; now += Second) _table.HearControl(Silo, Life, now);
        Assert.Equal([Silo], Notice(20 * Second));
    }

    [Fact]
    public void AProcessWhoseControlPlaneHangsIsSilentThoughItsPageThreadSpeaks()
    {
        _table.Expect(Silo, Life, 0);
        long now = 0;
        for (; now < Options.HungNs; now += Second / 10)
        {
            Sign(5, now);
            Assert.Empty(Notice(now));
        }
        Sign(5, now);
        Assert.Equal([Silo], Notice(now));
        Assert.False(Sign(5, now + 1));
        Assert.True(Sign(6, now + 2));
    }

    [Fact]
    public void SignsOfAnotherLifeAreNone()
    {
        _table.Expect(Silo, Life, 0);
        Assert.False(_table.HearSign(new SiloSign(Silo, new Incarnation(6), 1), Options.JoiningNs - 1));
        Assert.Equal([Silo], Notice(Options.JoiningNs));
        Assert.False(_table.HearSign(new SiloSign(Silo, new Incarnation(6), 2), Options.JoiningNs + 1));
        Assert.True(_table.IsSilent(Silo));
    }

    [Fact]
    public void WhoLapsesAgainAndAgainMustSpeakForLongerEachTime()
    {
        _table.Expect(Silo, Life, 0);
        long now = 0;
        for (int lapse = 1; lapse <= 4; lapse++)
        {
            Sign(1, now);
            now += Options.SuspectNs;
            Assert.Equal([Silo], Notice(now));
            long back = now;
            for (ulong progress = 1; !Sign(progress, now); progress++) now += Second / 10;
            Assert.Equal(Options.ProbationNs(lapse), now - back);
        }
        Assert.True(Options.ProbationNs(4) > Options.ProbationNs(3) && Options.ProbationNs(2) > 0);
        Assert.InRange(Options.ProbationNs(1000), Second, 60 * Second);
        // Forgotten after a long calm.
        for (long end = now + Options.CalmNs; now < end; now += Second / 2) Sign((ulong)now, now);
        Assert.Equal([Silo], Notice(now + Options.SuspectNs));
        Assert.True(Sign(1, now + (2 * Second)));
    }

    [Fact]
    public void WhomOthersDoubtIsMissedEarlierAndASignClearsTheDoubt()
    {
        _table.Expect(Silo, Life, 0);
        Assert.False(_table.Probe(Silo, Life, 1)); // it has only joined: nobody knows yet how often it speaks
        Sign(1, Second);
        Assert.False(_table.Probe(Silo, new Incarnation(6), Second));
        Assert.False(_table.Probe(new SiloId(4), Life, Second));
        Assert.True(_table.Probe(Silo, Life, Second + 1));
        Assert.False(_table.Probe(Silo, Life, Second + 2));
        Assert.Equal(Second + 1 + Options.ProbeNs, _table.NextDueNs());
        Sign(2, Second + 3);
        Assert.Equal(Second + 3 + Options.SuspectNs, _table.NextDueNs());

        Assert.True(_table.Probe(Silo, Life, Second + 4));
        Assert.Empty(Notice(Second + 3 + Options.ProbeNs));
        Assert.Equal([Silo], Notice(Second + 4 + Options.ProbeNs));
        Assert.True(Sign(3, 3 * Second));
        Assert.Equal(3 * Second + Options.SuspectNs, _table.NextDueNs());
        // A doubt makes nothing later.
        Assert.True(_table.Probe(Silo, Life, 4 * Second - 1));
        Assert.Equal(4 * Second, _table.NextDueNs());
    }

    [Fact]
    public void WhoIsDoubtedMustSpeak()
    {
        _table.Doubt(Silo, Life, 0);
        Assert.True(_table.IsSilent(Silo));
        Assert.False(_table.HearControl(Silo, Life, Second));
        Assert.True(Sign(1, 2 * Second));
        Assert.True(_table.IsHeard(Silo));
    }

    [Fact]
    public void WhoLeftOrWasNeverThereIsNotExpectedToSpeak()
    {
        _table.Expect(Silo, Life, 0);
        _table.Forget(Silo);
        Assert.Empty(Notice(100 * Second));
        Assert.False(Sign(1, 100 * Second));
        Assert.Equal(0, _table.SilentNs(Silo, 100 * Second));
        Assert.False(_table.IsHeard(Silo) || _table.IsSilent(Silo));
    }

    [Fact]
    public void TheNextToBecomeSilentIsTheOneHeardLongestAgo()
    {
        Assert.Equal(long.MaxValue, _table.NextDueNs());
        _table.Expect(Silo, Life, 0);
        _table.Expect(new SiloId(4), Life, 0);
        Sign(1, 2 * Second);
        _table.HearSign(new SiloSign(new SiloId(4), Life, 1), 5 * Second);
        Assert.Equal(2 * Second + Options.SuspectNs, _table.NextDueNs());
        Notice(_table.NextDueNs());
        Assert.Equal(5 * Second + Options.SuspectNs, _table.NextDueNs());
        _table.Forget(new SiloId(4));
        Assert.Equal(long.MaxValue, _table.NextDueNs());
    }

    [Fact]
    public void AnObserverThatStoodStillCountsLittleOfIt()
    {
        var clock = new ObservedClock();
        for (long now = 5 * Second; now <= 6 * Second; now += ObservedClock.LookNs) clock.Look(now);
        Assert.Equal(Second, clock.NowNs);
        clock.Look(60 * Second);
        Assert.Equal(Second + (2 * ObservedClock.LookNs), clock.NowNs);
        clock.Look(59 * Second);
        clock.Look((60 * Second) + 1);
        Assert.Equal(Second + (2 * ObservedClock.LookNs) + 1, clock.NowNs);
    }

    private bool Sign(ulong progress, long nowNs) => _table.HearSign(new SiloSign(Silo, Life, progress), nowNs);

    private List<SiloId> Notice(long nowNs)
    {
        _table.Notice(nowNs, _silent);
        return _silent;
    }
}
