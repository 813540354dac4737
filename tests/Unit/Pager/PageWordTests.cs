using FsCheck;
using FsCheck.Fluent;
using Rum.Core;

namespace Rum.Unit.Tests.Pager;

public sealed class PageWordTests
{
    private static readonly PageWord Absent = default;
    private static readonly PageWord Loading = Absent.StartLoad(7, true);
    private static readonly PageWord Present = Loading.LoadDone(9, true);
    private static readonly PageWord Writing = Present.StartWrite();
    private static readonly PageWord Evicting = Present.StartEvict(11);
    private static readonly PageWord Rescued = Evicting.Rescue(12);

    public static TheoryData<string, string> Forbidden => new()
    {
        { nameof(PageWord.StartLoad), "Loading Present Writing Evicting Rescued Pinned" },
        { nameof(PageWord.AbandonLoad), "Absent Present Writing Evicting Rescued Pinned" },
        { nameof(PageWord.LoadDone), "Absent Present Writing Evicting Rescued Pinned" },
        { nameof(PageWord.ZeroFill), "Loading Present Writing Evicting Rescued Pinned" },
        { nameof(PageWord.StartEvict), "Absent Loading Writing Evicting Rescued Pinned" },
        { nameof(PageWord.EvictDone), "Absent Loading Present Writing Rescued Pinned" },
        { nameof(PageWord.Rescue), "Absent Loading Present Writing Rescued Pinned" },
        { nameof(PageWord.Return), "Absent Loading Present Writing Rescued Pinned" },
        { nameof(PageWord.DropClean), "Absent Loading Writing Evicting Rescued Pinned" },
        { nameof(PageWord.Discard), "Loading Writing Evicting Rescued Pinned" },
        { nameof(PageWord.StartWrite), "Absent Loading Writing Evicting Rescued" },
        { nameof(PageWord.WriteDone), "Absent Loading Present Evicting Pinned" },
        { nameof(PageWord.Unpin), "Absent Loading Present Writing Evicting Rescued" },
    };

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void A_transition_is_refused_exactly_from_its_forbidden_states(string transition, string states)
    {
        string[] forbidden = states.Split(' ');
        foreach (string state in new[] { "Absent", "Loading", "Present", "Writing", "Evicting", "Rescued", "Pinned" })
        {
            bool refused = Record.Exception(() => Apply(transition, Of(state))) is InvariantViolationException;
            Assert.True(refused == forbidden.Contains(state), $"{transition} from {state}: {(refused ? "refused" : "allowed")}");
        }
    }

    [Fact]
    public void A_page_that_was_rescued_is_dirty_and_writing_until_the_write_is_acknowledged()
    {
        Assert.True(Rescued is { State: PageState.Present, Dirty: true, Writing: true, Index: 12 });
        PageWord acknowledged = Rescued.WriteDone(true);
        Assert.True(acknowledged is { Dirty: false, Writing: false, Remote: true, Seen: true, Index: 12 });
    }

    [Fact]
    public void A_discarded_page_is_known_to_be_nowhere()
    {
        Assert.True(Present.Discard() is { State: PageState.Absent, Seen: true, Remote: false, Index: 0 });
        Assert.True(Absent is { Seen: false, Remote: false });
    }

    [Fact]
    public void Pins_and_what_is_known_of_the_silo_outlive_every_transition() => Prop.ForAll(
        Gen.Choose(0, PageWord.MaxPins).ToArbitrary(), Gen.Elements(true, false).ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(),
        (pins, remote, index) =>
        {
            PageWord word = Absent.StartLoad(index, false).LoadDone(index, remote);
            for (int i = 0; i < pins; i++) word = word.Pin();
            word = word.StartWrite();
            Assert.True(word.Pins == pins && word.Remote == remote && word.Index == index && word.Writing);
            word = word.WriteDone(remote);
            for (int i = 0; i < pins; i++) word = word.Unpin();
            word = word.StartEvict(index);
            Assert.True(word is { Pins: 0, State: PageState.Evicting } && word.Index == index && word.Remote == remote);
            Assert.Equal(PageState.Absent, word.EvictDone(remote).State);
        }).QuickCheckThrowOnFailure();

    private static PageWord Of(string state) => state switch
    {
        "Absent" => Absent,
        "Loading" => Loading,
        "Present" => Present,
        "Writing" => Writing,
        "Evicting" => Evicting,
        "Rescued" => Rescued,
        _ => Present.Pin(),
    };

    private static PageWord Apply(string transition, PageWord word) => transition switch
    {
        nameof(PageWord.StartLoad) => word.StartLoad(1, false),
        nameof(PageWord.AbandonLoad) => word.AbandonLoad(),
        nameof(PageWord.LoadDone) => word.LoadDone(1, true),
        nameof(PageWord.ZeroFill) => word.ZeroFill(1),
        nameof(PageWord.StartEvict) => word.StartEvict(1),
        nameof(PageWord.EvictDone) => word.EvictDone(true),
        nameof(PageWord.Rescue) => word.Rescue(1),
        nameof(PageWord.Return) => word.Return(1, true),
        nameof(PageWord.DropClean) => word.DropClean(),
        nameof(PageWord.Discard) => word.Discard(),
        nameof(PageWord.StartWrite) => word.StartWrite(),
        nameof(PageWord.WriteDone) => word.WriteDone(true),
        nameof(PageWord.Unpin) => word.Unpin(),
        _ => throw new ArgumentException(transition),
    };
}
