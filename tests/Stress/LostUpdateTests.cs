using Rum.Core;
using Rum.LostUpdate;
using Rum.Pager;
using Rum.Pager.Paging;

namespace Rum.Stress.Tests;

/// <summary>
/// A short run of the stress in each mode, and the proof that it would notice. The program itself runs for any length:
/// <c>dotnet run --project tests/Stress/LostUpdate -- --seconds 30</c>.
/// </summary>
public sealed class LostUpdateTests
{
    [Theory]
    [InlineData(PagerMode.Move, 0)]
    [InlineData(PagerMode.Move, 60)]
    [InlineData(PagerMode.Copy, 60)]
    public void No_update_is_lost(PagerMode mode, long delayUs)
    {
        using LostUpdateStress stress = new(new StressOptions { Seconds = 3, Mode = mode, DelayUs = delayUs, Seed = 42 });
        if (stress.Run() != RumError.None) Assert.Skip(stress.Skipped!);
        Assert.Null(stress.Violation);
        Assert.True(stress.Statistics!.Evictions > 1000, $"only {stress.Statistics.Evictions} evictions: the run proves nothing");
        Assert.True(stress.Statistics.WriteBacks > 1000, $"only {stress.Statistics.WriteBacks} write-backs: the run proves nothing");
    }

    [Theory]
    [InlineData(PagerMode.Move)]
    [InlineData(PagerMode.Copy)]
    public void No_update_is_lost_when_pages_land_in_lent_buffers(PagerMode mode)
    {
        using LostUpdateStress stress = new(new StressOptions { Seconds = 3, Mode = mode, Lends = 32, Seed = 43 });
        if (stress.Run() != RumError.None) Assert.Skip(stress.Skipped!);
        Assert.Null(stress.Violation);
        Assert.True(stress.Landed > 1000, $"only {stress.Landed} pages landed in lent buffers: the run proves nothing");
        Assert.True(stress.Statistics!.WriteBacks > 1000, $"only {stress.Statistics.WriteBacks} write-backs: the run proves nothing");
    }

    [Theory]
    [InlineData(PagerDefect.AbsentAtMoveOut)]
    [InlineData(PagerDefect.ShortHash)]
    public void A_broken_evictor_is_caught(PagerDefect defect)
    {
        using LostUpdateStress stress = new(new StressOptions { Seconds = 60, Mode = PagerMode.Move, Defect = defect, DelayUs = 1000, Seed = 42 });
        if (stress.Run() != RumError.None) Assert.Skip(stress.Skipped!);
        Assert.NotNull(stress.Violation);
    }
}
