using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.Pager;
using Rum.Pager.Paging;

namespace Rum.Simulation.Client;

/// <summary>The lives of the processes: sessions, segments opened and closed, and at last everything looked at once more.</summary>
internal sealed partial class Workload(World world, Scenario scenario)
{
    public static readonly UInt128 Key = 42;

    private const int OpensMax = 60;
    private const long Bytes = (2L * Layout.PagesPerExtent + 16) << Layout.PageShift;

    private const long CutBytes = (Layout.PagesPerExtent - 4L) << Layout.PageShift;

    // Few pages, around the borders of extents, so that they live on different silos.
    private static readonly long[] Numbers = [.. Around(0, 0, 20), .. Around(Layout.PagesPerExtent, 10, 10), .. Around(2 * Layout.PagesPerExtent, 6, 10)];

    private Random Random => world.Random;

    public void Start(SimulatedProcess process, int threads)
    {
        var main = new VirtualThread(process, 0);
        process.Threads.Add(main);
        main.Run(Main(process, main, threads));
    }

    private static IEnumerable<long> Around(long page, int before, int after)
    {
        for (long p = page - before; p < page + after; p++) yield return p;
    }

    private IEnumerable<long> Main(SimulatedProcess process, VirtualThread t, int threads)
    {
        Result answer = null!;
        IEnumerable<long> Ask(Command command)
        {
            answer = null!;
            t.Waits(command.GetType().Name);
            process.Call(t, command, result =>
            {
                answer = result;
                t.Woken();
            });
            while (answer == null) yield return VirtualThread.UntilWoken;
        }

        foreach (long w in Ask(new OpenSession((UInt128)(ulong)Random.NextInt64(), "", process.Name, scenario.LeaseMs))) yield return w;
        process.Session = process.Pages.Session = ((SessionResult)answer).Session;
        var control = new VirtualThread(process, 1);
        process.Threads.Add(control);
        control.Run(process.ControlProgram(control));
        do
        {
            foreach (long w in Ask(new Allocate(process.Session, default, Bytes, 1, SegmentFlags.None, default))) yield return w;
            yield return 1_000_000;
        }
        while (answer.Error is RumError.OutOfMemory or RumError.Pending or RumError.ShardLost);
        if (answer.Error == RumError.None)
        {
            var made = (SegmentResult)answer;
            var own = new SegmentModel($"{process.Name}'s memory", made.Segment, Numbers);
            foreach (long w in Map(process, t, own, made, readOnly: false, fresh: true)) yield return w;
        }
        for (int i = 0; i < threads; i++)
        {
            var worker = new VirtualThread(process, i + 2);
            process.Threads.Add(worker);
            worker.Run(Worker(process, worker));
        }
        for (int opens = 0; opens < OpensMax && process.Budget > 0 && !process.Revoked; opens++)
        {
            yield return Random.Next(100_000, 3_000_000);
            if (scenario.Named is { CutAt: < long.MaxValue }) break;
            if (scenario.Named == null)
            {
                foreach (long w in Ask(new Allocate(process.Session, Key, Bytes, 1, SegmentFlags.None, default))) yield return w;
                if (answer.Error == RumError.None)
                    scenario.Named = new SegmentModel("the named segment", ((SegmentResult)answer).Segment, Numbers) { Fresh = true };
            }
            else
            {
                foreach (long w in Ask(new Open(process.Session, Key, Random.Next(3) == 0 ? OpenMode.Read : OpenMode.WriteElseRead))) yield return w;
            }
            if (answer.Error != RumError.None || scenario.Named == null) continue;
            var opened = (SegmentResult)answer;
            if (opened.Token != 0 && scenario.MayCut)
            {
                foreach (long w in Ask(new Resize(process.Session, opened.Segment, CutBytes))) yield return w;
                if (answer.Error == RumError.None) scenario.Named.CutAt = CutBytes >> Layout.PageShift;
                foreach (long w in Ask(new Close(process.Session, opened.Segment))) yield return w;
                break;
            }
            bool fresh = scenario.Named.Fresh;
            scenario.Named.Fresh = false;
            foreach (long w in Map(process, t, scenario.Named, opened, opened.Token == 0, fresh)) yield return w;
            if (process.Attachments.Count == 0 || process.Attachments[^1].Model != scenario.Named) continue;
            Attachment named = process.Attachments[^1];
            long until = world.NowNs + (scenario.Duel ? Random.Next(20_000_000, 100_000_000) : Random.Next(1_000_000, 20_000_000));
            while (process.Budget > 0 && !process.Revoked && world.NowNs < until) yield return 200_000;
            foreach (long w in Detach(process, t, named, writeBack: true)) yield return w;
            foreach (long w in Ask(new Close(process.Session, opened.Segment))) yield return w;
        }
        t.Waits("wait for the workers");
        while (!process.Threads.TrueForAll(other => other.Index < 2 || other.Ended)) yield return 200_000;
        if (process.Revoked) yield break;
        foreach (Attachment at in process.Attachments.ToArray())
        {
            foreach (long w in LookAtAll(process, t, at)) yield return w;
            foreach (long w in Detach(process, t, at, writeBack: false)) yield return w;
        }
        if (process.Session.Value == 0) yield break;
        foreach (long w in Ask(new CloseSession(process.Session))) yield return w;
        if (!process.Revoked) process.Closed = true;
    }

    private IEnumerable<long> Map(SimulatedProcess process, VirtualThread t, SegmentModel model, SegmentResult opened, bool readOnly, bool fresh)
    {
        var handle = new SegmentHandle(opened.Segment, opened.Token, opened.FirstShard, opened.Flags);
        var command = new PagerCommand { Kind = PagerCommandKind.Map, Region = new RegionOptions(handle, Bytes, Bytes, readOnly, fresh) };
        t.Ask(command);
        yield return VirtualThread.UntilWoken;
        if (command.Result == RumError.None) process.Attachments.Add(new Attachment(model, handle, command.ResultAddress, readOnly) { Orphan = scenario.IsExpired(process.Session) });
        else if (!process.Revoked) throw World.Wrong($"{t.Name} can't map {model.Name}: {command.Result}");
    }

    /// <summary>Nobody begins anything with it; who has will end; then it is unmapped.</summary>
    private IEnumerable<long> Detach(SimulatedProcess process, VirtualThread t, Attachment at, bool writeBack)
    {
        at.Closing = true;
        t.Waits($"wait for the users of {at.Model.Name}");
        while (at.Users > 0) yield return 50_000;
        long began = world.Moment();
        t.Ask(new PagerCommand { Kind = PagerCommandKind.Unmap, Address = at.Address, WriteBack = writeBack && !at.ReadOnly });
        yield return VirtualThread.UntilWoken;
        Expect(t, at, PagerCommandKind.Unmap);
        RumError written = t.Result;
        if (written == RumError.Timeout)
        {
            // It is mapped still, for another try: this program gives up instead what no silo takes.
            t.Ask(new PagerCommand { Kind = PagerCommandKind.Unmap, Address = at.Address });
            yield return VirtualThread.UntilWoken;
            if (t.Result != RumError.None && !process.Revoked) throw World.Wrong($"{t.Name}: an unmap that writes nothing ends with {t.Result}");
        }
        process.Attachments.Remove(at);
        if (!writeBack || at.ReadOnly) yield break;
        if (written == RumError.None) Flushed(t, at, Enumerable.Range(0, at.Model.Count), began);
        else Scenario.LeftWithoutFlush(at);
    }

    /// <summary>The cache is emptied, and every page fetched again.</summary>
    private IEnumerable<long> LookAtAll(SimulatedProcess process, VirtualThread t, Attachment at)
    {
        t.Ask(new PagerCommand { Kind = PagerCommandKind.FlushAndDrop });
        yield return VirtualThread.UntilWoken;
        for (int i = 0; i < at.Model.Count; i++)
            foreach (long w in Until(t, at, i, () => t.Look(at, i))) yield return w;
    }

    /// <summary><paramref name="all"/>: the command was about everything that the process has mapped, so that any of it may be what is lost.</summary>
    private void Expect(VirtualThread t, Attachment at, PagerCommandKind kind, bool all = false)
    {
        bool lost = all ? t.Process.Attachments.Exists(scenario.AnyLost) : scenario.AnyLost(at);
        if (t.Result == RumError.None || t.Process.Revoked || at.Orphan || (t.Result is RumError.ShardLost && lost) || (t.Result is RumError.Timeout && scenario.FaultTimeoutNs > 0)) return;
        throw World.Wrong($"{t.Name}: {kind} of {at.Model.Name} ends with {t.Result}");
    }

    /// <summary>What a flush that ended promises.</summary>
    private void Flushed(VirtualThread t, Attachment at, IEnumerable<int> pages, long began)
    {
        if (at.Orphan || at.Model.Freed) return;
        foreach (int i in pages)
        {
            PageModel page = at.Model[i];
            // A discard that runs beside the flush takes pages from it.
            if (page.Inherited || page.Dropping) continue;
            scenario.CheckStored(at, i, began, t.Name);
            page.FlushedAt = Math.Max(page.FlushedAt, began);
        }
    }
}
