using Rum.Core;
using Rum.Pager.Paging;

namespace Rum.Simulation.Client;

// What a thread does, one operation after the other.
internal sealed partial class Workload
{
    private const int DuelPages = 2;

    private IEnumerable<long> Worker(SimulatedProcess process, VirtualThread t)
    {
        while (process.Budget > 0 && !process.Revoked)
        {
            process.Budget--;
            yield return Random.Next(16) == 0 ? Random.Next(1_000_000) : Random.Next(20_000);
            Attachment[] open = [.. process.Attachments.Where(a => !a.Closing && !a.Unmapped)];
            if (open.Length == 0)
            {
                yield return 100_000;
                continue;
            }
            Attachment at = scenario.Duel && Array.Find(open, a => a.Model == scenario.Named) is { } named ? named : open[Random.Next(open.Length)];
            at.Users++;
            foreach (long w in at.ReadOnly ? ReaderOperation(t, at) : WriterOperation(t, at)) yield return w;
            at.Users--;
        }
    }

    private IEnumerable<long> WriterOperation(VirtualThread t, Attachment at)
    {
        int page = Random.Next(at.Model.Count), word = Random.Next(SegmentModel.Words);
        if (scenario.Duel && at.Model == scenario.Named && Random.Next(8) != 0) return Rewrite(t, at, Random.Next(DuelPages));
        switch (Random.Next(100))
        {
            case < 32:
                return Store(t, at, page, word);
            case < 40:
                return StoreAll(t, at, page);
            case < 60:
                return Load(t, at, page, word);
            case < 66:
                return Until(t, at, page, () => t.Look(at, page));
            case < 78:
                return Scan(t, at, page);
            case < 83:
                return Flush(t, at, page, PagerCommandKind.Flush);
            case < 85:
                return Flush(t, at, page, PagerCommandKind.FlushAndDrop);
            case < 86:
                return Flush(t, at, -1, Random.Next(2) == 0 ? PagerCommandKind.Flush : PagerCommandKind.FlushAndDrop);
            case < 90:
                return Command(t, at, page, PagerCommandKind.Prefetch);
            case < 93:
                return Discard(t, at, page);
            case < 97:
                return Pin(t, at, page);
            default:
                return TryPin(t, at, page);
        }
    }

    private IEnumerable<long> ReaderOperation(VirtualThread t, Attachment at)
    {
        int page = Random.Next(at.Model.Count);
        if (scenario.Duel && Random.Next(8) != 0) return FetchAnew(t, at, Random.Next(DuelPages));
        return Random.Next(100) switch
        {
            < 60 => Until(t, at, page, () => t.Look(at, page)),
            < 80 => Scan(t, at, page),
            < 90 => Flush(t, at, page, PagerCommandKind.FlushAndDrop),
            < 95 => Command(t, at, page, PagerCommandKind.Prefetch),
            _ => Pin(t, at, page),
        };
    }

    /// <summary>A new version of a page, which goes to its silo at once.</summary>
    private IEnumerable<long> Rewrite(VirtualThread t, Attachment at, int page)
    {
        foreach (long w in StoreAll(t, at, page)) yield return w;
        foreach (long w in FlushPages(t, at, page, 1, PagerCommandKind.Flush)) yield return w;
    }

    /// <summary>The page as its silo has it now.</summary>
    private IEnumerable<long> FetchAnew(VirtualThread t, Attachment at, int page)
    {
        foreach (long w in FlushPages(t, at, page, 1, PagerCommandKind.FlushAndDrop)) yield return w;
        foreach (long w in Until(t, at, page, () => t.Look(at, page))) yield return w;
    }

    private IEnumerable<long> Load(VirtualThread t, Attachment at, int page, int word)
    {
        foreach (long w in Settle(t, at, page)) yield return w;
        foreach (long w in Until(t, at, page, () => t.Load(at, page, word))) yield return w;
    }

    private IEnumerable<long> Store(VirtualThread t, Attachment at, int page, int word)
    {
        foreach (long w in Settle(t, at, page)) yield return w;
        foreach (long w in Until(t, at, page, () => t.Store(at, page, word))) yield return w;
    }

    private IEnumerable<long> StoreAll(VirtualThread t, Attachment at, int page)
    {
        foreach (long w in Settle(t, at, page)) yield return w;
        foreach (long w in Until(t, at, page, () => t.StoreAll(at, page))) yield return w;
    }

    /// <summary>A page whose last writer vanished is looked at first: from then on it is known.</summary>
    private static IEnumerable<long> Settle(VirtualThread t, Attachment at, int page) =>
        at.Model[page].Inherited && !at.AnythingGoes ? Until(t, at, page, () => t.Look(at, page)) : [];

    /// <summary>Touches a page until it is there, or never will be.</summary>
    private static IEnumerable<long> Until(VirtualThread t, Attachment at, int page, Func<Touch> touch)
    {
        PageModel model = at.Model[page];
        if (model.Dropping) yield break;
        model.Users++;
        while (true)
        {
            Touch outcome = touch();
            if (outcome == Touch.Done) break;
            if (outcome == Touch.Faults)
            {
                yield return VirtualThread.UntilWoken;
                continue;
            }
            if (outcome == Touch.Segv && !t.Process.Revoked && !at.Unmapped) throw World.Wrong($"{t} and gets SIGSEGV");
            break;
        }
        model.Users--;
    }

    private IEnumerable<long> Scan(VirtualThread t, Attachment at, int first)
    {
        int count = Random.Next(4, 20), step = Random.Next(4) == 0 ? -1 : 1;
        bool store = !at.ReadOnly && Random.Next(3) == 0;
        for (int i = first; count > 0 && i >= 0 && i < at.Model.Count; i += step, count--)
        {
            int page = i;
            foreach (long w in Until(t, at, page, () => t.Look(at, page))) yield return w;
            if (store)
                foreach (long w in Store(t, at, page, Random.Next(SegmentModel.Words))) yield return w;
            yield return Random.Next(3_000);
        }
    }

    /// <summary>A flush of a run of pages, or of everything (page below 0).</summary>
    private IEnumerable<long> Flush(VirtualThread t, Attachment at, int page, PagerCommandKind kind) =>
        FlushPages(t, at, page, page < 0 ? at.Model.Count : RunFrom(at, page), kind);

    private IEnumerable<long> FlushPages(VirtualThread t, Attachment at, int page, int count, PagerCommandKind kind)
    {
        bool all = page < 0;
        int[] pages = [.. Enumerable.Range(all ? 0 : page, count).Where(i => !at.Model[i].Dropping)];
        long began = world.Moment();
        t.Ask(new PagerCommand { Kind = kind, Address = all ? 0 : at.AddressOf(page), Length = all ? 0 : (long)count << Layout.PageShift });
        yield return VirtualThread.UntilWoken;
        Expect(t, at, kind, all);
        if (!at.ReadOnly && t.Result == RumError.None) Flushed(t, at, pages, began);
    }

    private IEnumerable<long> Command(VirtualThread t, Attachment at, int page, PagerCommandKind kind)
    {
        t.Ask(new PagerCommand { Kind = kind, Address = at.AddressOf(page), Length = (long)RunFrom(at, page) << Layout.PageShift });
        yield return VirtualThread.UntilWoken;
        Expect(t, at, kind);
    }

    private IEnumerable<long> Discard(VirtualThread t, Attachment at, int first)
    {
        int count = 0;
        int most = RunFrom(at, first);
        while (count < most && at.Model[first + count] is { Dropping: false, Users: 0 }) count++;
        if (count == 0 || at.Orphan) yield break;
        long moment = world.Moment();
        for (int i = first; i < first + count; i++)
        {
            at.Model[i].Dropping = true;
            at.Model[i].Inherited = false;
            at.Model[i].Clear(moment);
        }
        t.Ask(new PagerCommand { Kind = PagerCommandKind.Discard, Address = at.AddressOf(first), Length = (long)count << Layout.PageShift });
        yield return VirtualThread.UntilWoken;
        Expect(t, at, PagerCommandKind.Discard);
        for (int i = first; i < first + count; i++)
        {
            at.Model[i].Dropping = false;
            // Not all of it was done: each page is as before, or dropped.
            if (at.Orphan || t.Result != RumError.None) at.Model[i].Inherited = true;
        }
    }

    /// <summary>Pinned pages are there and stay.</summary>
    private IEnumerable<long> Pin(VirtualThread t, Attachment at, int page)
    {
        int count = Math.Min(RunFrom(at, page), 4);
        var pin = new PagerCommand { Kind = PagerCommandKind.Pin, Address = at.AddressOf(page), Length = (long)count << Layout.PageShift };
        t.Ask(pin);
        yield return VirtualThread.UntilWoken;
        if (t.Result == RumError.PinBudgetExceeded) yield break;
        Expect(t, at, PagerCommandKind.Pin);
        if (t.Result != RumError.None) yield break;
        foreach (long w in UsePinned(t, at, page, count)) yield return w;
        t.Ask(new PagerCommand { Kind = PagerCommandKind.Unpin, Address = pin.Address, Length = pin.Length });
        yield return VirtualThread.UntilWoken;
        Expect(t, at, PagerCommandKind.Unpin);
    }

    private IEnumerable<long> TryPin(VirtualThread t, Attachment at, int page)
    {
        int count = Math.Min(RunFrom(at, page), 1 + Random.Next(3));
        long length = (long)count << Layout.PageShift;
        RumError error = t.Process.Engine.TryPin(at.AddressOf(page), length);
        if (error is RumError.Pending or RumError.PinBudgetExceeded || t.Process.Revoked || at.Unmapped) yield break;
        if (error != RumError.None) throw World.Wrong($"{t.Name}: TryPin ends with {error}");
        t.Note("pins page {0} and {1} more without the pager", at.Model[page].Number, count - 1);
        foreach (long w in UsePinned(t, at, page, count)) yield return w;
        t.Process.Engine.EndTryPin(at.AddressOf(page), length);
    }

    private IEnumerable<long> UsePinned(VirtualThread t, Attachment at, int first, int count)
    {
        for (int n = Random.Next(6); n > 0; n--)
        {
            int page = first + Random.Next(count);
            PageModel model = at.Model[page];
            if (!model.Dropping)
            {
                Touch touch = at.ReadOnly || model.Inherited ? t.Look(at, page) : Random.Next(2) == 0 ? t.Load(at, page, 0) : t.Store(at, page, Random.Next(SegmentModel.Words));
                if (touch != Touch.Done && !t.Process.Revoked && !at.Unmapped) throw World.Wrong($"{t.Name} touches page {model.Number} of {at.Model.Name}, which it has pinned: {touch}");
                if (touch == Touch.Faults) yield return VirtualThread.UntilWoken;
            }
            yield return Random.Next(50_000);
        }
    }

    /// <summary>How many pages from this one on are consecutive, up to a few.</summary>
    private int RunFrom(Attachment at, int page)
    {
        int most = 1 + Random.Next(12), count = 1;
        while (count < most && page + count < at.Model.Count && at.Model[page + count].Number == at.Model[page].Number + count) count++;
        return count;
    }
}
