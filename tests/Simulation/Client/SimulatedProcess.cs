using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers;
using Rum.FastPath.Drivers.Simulated;
using Rum.Pager.Paging;

namespace Rum.Simulation.Client;

/// <summary>
/// A client process: threads, the real engine over simulated memory, the real page client, and the part of the control thread that matters (heartbeats,
/// views). The engine is woken only by what would wake its thread: fault messages, frames, its own deadlines.
/// </summary>
internal sealed class SimulatedProcess : IPagerEvents, IDisposable
{
    private const int MessageBatch = 16;
    private const long SpinNs = 50_000;

    private readonly Scenario _scenario;
    private readonly SimulatedDriver _endpoint;
    private readonly List<(PagerCommand Command, VirtualThread Thread)> _commands = [];
    private readonly Dictionary<PagerCommand, VirtualThread> _asking = [];
    private readonly Queue<Action> _answers = new();
    private readonly List<(nint Page, bool Protect, VirtualThread Thread)> _batch = [];
    private long _pagerReadyNs, _spinUntilNs;
    private readonly bool _mapsBeforeView;
    private bool _preempting, _copies;
    private ulong _viewDecree;

    public SimulatedProcess(World world, Scenario scenario, string name, Broken broken)
    {
        World = world;
        _scenario = scenario;
        Name = name;
        _mapsBeforeView = broken.MapsBeforeView;
        _endpoint = world.Network.CreateEndpoint();
        Driver = broken.Client?.Invoke(_endpoint) ?? _endpoint;
        Memory = new SimulatedMemory(world, name, scenario.CachePages, scenario.Moves, scenario.MovesZeroPages) { BusyRate = scenario.BusyRate };
        Pages = new PageClient(new PageClientOptions
        {
            Requests = scenario.Requests,
            AssembliesMax = 24,
            ResendNsMin = 300_000,
            ClockNs = () => world.NowNs,
        });
        (IPageMapper mapper, IPageChannel channel) = broken.Pager?.Invoke(this) ?? (Memory, new TracedChannel(world, name, Pages));
        Engine = new PagerEngine(mapper, channel, this, new PagerEngineOptions
        {
            CachePages = scenario.CachePages,
            EvictionBatch = scenario.EvictionBatch,
            WindowPages = scenario.WindowPages,
            FaultTimeoutNs = scenario.FaultTimeoutNs,
            HashKey = (ulong)world.Seed,
            Defect = broken.Defect,
        });
        Memory.Preempted = Preempt;
    }

    public World World { get; }

    public string Name { get; }

    public IDriver Driver { get; }

    public int Number => _endpoint.Number;

    public SimulatedMemory Memory { get; }

    public PageClient Pages { get; }

    public PagerEngine Engine { get; }

    public SessionId Session { get; set; }

    public List<VirtualThread> Threads { get; } = [];

    public List<Attachment> Attachments { get; } = [];

    /// <summary>Operations that its threads still begin.</summary>
    public int Budget { get; set; }

    /// <summary>Nothing of it runs until then.</summary>
    public long PausedUntilNs { get; set; }

    /// <summary>Its session ended before it did.</summary>
    public bool Revoked { get; private set; }

    /// <summary>It ended its session itself.</summary>
    public bool Closed { get; set; }

    public bool Ended => Threads.TrueForAll(t => t.Ended);

    public long NextNs
    {
        get
        {
            long next = _answers.Count > 0 ? World.NowNs : long.MaxValue;
            foreach (VirtualThread thread in Threads) next = Math.Min(next, thread.NextNs);
            return Math.Max(Math.Min(next, PagerNextNs), PausedUntilNs);
        }
    }

    private long PagerNextNs
    {
        get
        {
            if (Memory.Faults.Count > 0 || _commands.Count > 0) return _pagerReadyNs;
            if (!Engine.NeedsSteps) return long.MaxValue;
            if (!_endpoint.PrepareWait() || (Engine.Urgent && World.NowNs < _spinUntilNs)) return _pagerReadyNs;
            return Math.Max(Engine.NextDeadlineNs, _pagerReadyNs);
        }
    }

    public override string ToString() =>
        $"{Name}: {Pages.Outstanding} requests outstanding, {_asking.Count} commands, {Engine.Statistics(0).FaultsWaiting} faults waited for, pager {(Engine.Urgent ? "urgent" : Engine.NeedsSteps ? "at work" : "idle")} until {Engine.NextDeadlineNs}";

    /// <summary>A value for a store: mostly never stored before.</summary>
    public ulong NextValue(long moment) => (ulong)moment << 8 | (uint)Number;

    public void Tick()
    {
        if (World.NowNs < PausedUntilNs) return;
        while (_answers.TryDequeue(out Action? answer)) answer();
        for (int i = 0; i < Threads.Count; i++)
            if (Threads[i].NextNs <= World.NowNs) Threads[i].Step();
        if (PagerNextNs <= World.NowNs) RunPager();
    }

    public void Send(PagerCommand command, VirtualThread thread)
    {
        _asking.Add(command, thread);
        _commands.Add((command, thread));
    }

    /// <summary>Sends a command to the council; the answer comes later, once, when the process runs. Sometimes the request arrives twice.</summary>
    public void Call(VirtualThread thread, Command command, Action<Result> done)
    {
        var id = command.Speaker.Value == 0 ? default : new RequestId(Session, (uint)thread.Index, ++thread.Requests);
        World.After(World.ControlDelayNs(), () =>
        {
            Result result = _scenario.Council.Apply(id, command);
            ulong view = _scenario.Council.Machine.ViewDecree;
            World.After(World.ControlDelayNs(), () => Deliver(result, view, done));
        });
        if (World.Chance(0.05)) World.After(World.ControlDelayNs() * 2, () => _scenario.Council.Apply(id, command));
    }

    /// <summary>Nobody hears of a result before the pager has the view that belongs to it.</summary>
    private void Deliver(Result result, ulong view, Action<Result> done) => _answers.Enqueue(() =>
    {
        if (_viewDecree >= view || _mapsBeforeView) done(result);
        else if (Revoked) done(new Result(RumError.SessionExpired, "", 0));
        else World.After(100_000, () => Deliver(result, view, done));
    });

    /// <summary>Heartbeats and views, for as long as the process runs.</summary>
    public IEnumerable<long> ControlProgram(VirtualThread thread)
    {
        long beatEveryNs = _scenario.LeaseMs * 1_000_000L / 4;
        while (!Closed && !Revoked && !Threads.TrueForAll(t => t == thread || t.Ended))
        {
            bool answered = false;
            RumError error = RumError.None;
            World.After(World.ControlDelayNs(), () =>
            {
                error = _scenario.Council.Heartbeat(Session);
                World.After(World.ControlDelayNs(), () => _answers.Enqueue(() =>
                {
                    answered = true;
                    thread.Woken();
                }));
            });
            while (!answered) yield return VirtualThread.UntilWoken;
            if (error == RumError.SessionExpired)
            {
                World.Note(Name, "is told that its session expired");
                Revoked = true;
                thread.Ask(new PagerCommand { Kind = PagerCommandKind.Revoke, Why = RumError.SessionExpired });
                yield return VirtualThread.UntilWoken;
                break;
            }
            yield return beatEveryNs;
        }
    }

    /// <summary>A view on its way to this process; views arrive in their order.</summary>
    public void Tell(ClusterView view) => World.After(World.ControlDelayNs(), () => _answers.Enqueue(() => Adopt(view)));

    public void Completed(PagerCommand command)
    {
        _asking.Remove(command, out VirtualThread? thread);
        World.Note(Name, "pager ends a command: kind {0}, error {1}", (long)command.Kind, (long)command.Result);
        thread!.Result = command.Result;
        thread.Woken();
    }

    public void Waiting(in PageTrouble trouble) => World.Note(Name, "pager waits for page {0}: status {1}", trouble.Page, (long)trouble.Status);

    public void GaveUp(in PageTrouble trouble)
    {
        World.Note(Name, "pager gives up page {0}: status {1}", trouble.Page, (long)trouble.Status);
        _scenario.CheckGivenUp(this, trouble);
    }

    /// <summary>After the end: nothing outstanding, no frame astray.</summary>
    public void CheckEnd()
    {
        if (_copies) Engine.CheckInvariants(); else Engine.CheckIdle();
        Pages.CheckInvariants();
        if (Pages.Outstanding > 0 || _asking.Count > 0) throw World.Wrong($"{Name} ended with {Pages.Outstanding} requests and {_asking.Count} commands outstanding");
        Memory.CheckFrames(empty: true);
    }

    public void Dispose()
    {
        Engine.Dispose();
        Pages.Dispose();
        Memory.Dispose();
    }

    private void Adopt(ClusterView view)
    {
        if (view.Decree <= _viewDecree) return;
        _viewDecree = view.Decree;
        World.Note(Name, "has the view of decree {0}", (long)view.Decree);
        Pages.SetRoutes(_scenario.Routes(view, Driver));
    }

    private void RunPager()
    {
        long now = World.NowNs;
        if (Memory.Faults.Count > 0 || _commands.Count > 0)
        {
            int faults = Math.Min(Memory.Faults.Count, 1 + World.Random.Next(MessageBatch));
            _batch.Clear();
            _batch.AddRange(Memory.Faults.GetRange(0, faults));
            Memory.Faults.RemoveRange(0, faults);
            foreach ((nint page, bool protect, VirtualThread _) in _batch) Engine.OnFault(page, protect, now);
            if (_commands.Count > 0)
            {
                PagerCommand command = _commands[0].Command;
                _commands.RemoveAt(0);
                Engine.OnCommand(command);
            }
            _spinUntilNs = now + SpinNs;
        }
        if (Engine.Step(now)) _spinUntilNs = now + SpinNs;
        // A page that comes by copy has a frame set aside, which the sum leaves out.
        _copies |= !Memory.Moves || Attachments.Exists(a => a.ReadOnly);
        if (!_copies) Engine.CheckInvariants();
        Memory.CheckFrames();
        _pagerReadyNs = now + World.Random.Next(500, 5_000);
    }

    private void Preempt()
    {
        if (_preempting || Threads.Count == 0 || World.Random.Next(24) != 0) return;
        VirtualThread thread = Threads[World.Random.Next(Threads.Count)];
        if (thread.NextNs == long.MaxValue || thread.Ended) return;
        _preempting = true;
        thread.Step();
        _preempting = false;
    }
}
