using Rum.Core;
using Rum.FastPath.Linux;
using Rum.FastPath.Tracing;
using Rum.Pager.Linux;

namespace Rum.Pager.Paging;

// The pager thread: blocked in read(userfaultfd) while nobody waits for a silo, else polling the channel, for a while, then in ppoll.
public sealed partial class Pager
{
    private const int MessageBatch = 16;
    private const int WaitDescriptorsMax = 15;
    private const long SpinNs = 50_000;
    private const int SpinsPerRead = 16;

    // An answer over shared memory between two CPUs is there before; a longer wait may be for a silo that needs this very CPU.
    private const long SpinAloneNs = 4_000;

    // A sched_yield that took longer let somebody else run.
    private const long YieldTakenNs = 1_000;

    // For so many waits after a taken yield the CPU counts as shared, and is given away at once.
    private const int SharedWaits = 64;

    private bool _stop;
    private int _shared;

    private unsafe void Run()
    {
        try
        {
            UserfaultfdAbi.Message* messages = stackalloc UserfaultfdAbi.Message[MessageBatch];
            PagerNative.PollDescriptor* polls = stackalloc PagerNative.PollDescriptor[WaitDescriptorsMax + 1];
            long start = GC.GetAllocatedBytesForCurrentThread();
            int sinceCount = 0;
            while (!_stop)
            {
                if (!_engine.NeedsSteps) Handle(messages, _uffd.ReadWait(messages, MessageBatch));
                else Attend(messages, polls);
                if ((++sinceCount & 63) == 0) Volatile.Write(ref _managedBytes, GC.GetAllocatedBytesForCurrentThread() - start);
            }
        }
        catch (Exception e)
        {
            // A pager that goes on after a broken invariant corrupts memory, and one that stops silently hangs the program.
            Environment.FailFast($"rum: the pager met a defect and stops the process: {e}", e);
        }
    }

    /// <summary>Polls while progress comes, with a look at the descriptor now and then; after a spin without any, blocks on all at once.</summary>
    private unsafe void Attend(UserfaultfdAbi.Message* messages, PagerNative.PollDescriptor* polls)
    {
        long idleSince = _mapper.NowNs;
        bool spin = _engine.Urgent;
        for (int n = 1; !_stop; n++)
        {
            long now = _mapper.NowNs;
            if (_engine.Step(now)) idleSince = now;
            // Nothing more to wait for: the blocking read takes what has come.
            if (!_engine.NeedsSteps) return;
            bool look = n % SpinsPerRead == 0 || !_engine.Urgent;
            if (look)
            {
                int got = _uffd.ReadNow(messages, MessageBatch);
                if (got > 0)
                {
                    Handle(messages, got);
                    idleSince = now;
                    spin = true;
                }
            }

            if (spin && _engine.Urgent && now - idleSince < SpinNs)
            {
                if (now != idleSince && (_shared > 0 || now - idleSince > SpinAloneNs)) Yield();
                continue;
            }

            Block(polls);
            return;
        }
    }

    /// <summary>Lets a silo on the same CPU run, and learns whether there is one.</summary>
    private void Yield()
    {
        long before = _mapper.NowNs;
        _ = Scheduling.sched_yield();
        if (_mapper.NowNs - before > YieldTakenNs) _shared = SharedWaits;
        else if (_shared > 0) _shared--;
    }

    private unsafe void Block(PagerNative.PollDescriptor* polls)
    {
        Span<int> descriptors = stackalloc int[WaitDescriptorsMax];
        int count = _channel.WaitDescriptors(descriptors);
        long wait = _engine.NextDeadlineNs;
        wait = wait == long.MaxValue ? -1 : Math.Max(wait - _mapper.NowNs, 0);
        if (count < 0)
        {
            count = 0;
            wait = 0;
        }

        if (!_channel.PrepareWait())
        {
            _channel.FinishWait();
            return;
        }

        _uffd.SetNonBlocking(true);
        polls[0] = new() { Descriptor = _uffd.Descriptor, Events = PagerNative.PollIn };
        for (int i = 0; i < count; i++) polls[i + 1] = new() { Descriptor = descriptors[i], Events = PagerNative.PollIn };
        PagerNative.TimeSpec timeout = new() { Seconds = wait / 1_000_000_000, Nanoseconds = wait % 1_000_000_000 };
        PagerNative.Ppoll(polls, (ulong)(count + 1), wait < 0 ? null : &timeout, null);
        _channel.FinishWait();
    }

    private unsafe void Handle(UserfaultfdAbi.Message* messages, int count)
    {
        if (count <= 0) return;
        _options.Trace?.Note(Stage.Taken);
        long now = _mapper.NowNs;
        for (int i = 0; i < count; i++)
        {
            if (messages[i].Event != UserfaultfdAbi.EventPagefault) continue;
            nint address = (nint)messages[i].Address;
            PagerCommand? command = _doorbell.Take(address, out bool isBell);
            if (command is not null) Execute(command);
            else if (!isBell) _engine.OnFault(address, (messages[i].Flags & UserfaultfdAbi.PagefaultFlagWp) != 0, now);
        }

        _placement.Faulted((int)messages[0].Thread, now);
        _engine.Step(now);
    }

    private void Execute(PagerCommand command)
    {
        if (command.Kind == PagerCommandKind.Stop)
        {
            _stop = true;
            command.Result = RumError.None;
            _doorbell.Complete(command);
            return;
        }

        _engine.OnCommand(command);
    }

    private const string NoRoom = "no room: the cache is full of changed pages whose shards are Lost; rum status names them";

    private void Say(string text)
    {
        if (_options.Log is not null) _options.Log(text);
        else Console.Error.WriteLine(text);
    }

    private string Name(in PageTrouble trouble) =>
        $"page {trouble.Page} of {trouble.Segment.Segment}" + (_options.Describe is null ? "" : $" ({_options.Describe(trouble.Segment, trouble.Page)})");

    private void SayWaiting(in PageTrouble trouble) =>
        Say($"rum: {Name(trouble)} {(trouble.Writing ? "can't be written back" : "is waited for")} since {trouble.WaitedNs / 1e9:F1} s ({trouble.Status})");

    private void SayGaveUp(in PageTrouble trouble) =>
        Say(trouble.Writing
            ? $"rum: {Name(trouble)} can't be written back any more ({trouble.Status}): another writer has the segment; it is unmapped here"
            : $"rum: {Name(trouble)} could not be had within {trouble.WaitedNs / 1e9:F1} s ({(trouble.NoRoom ? NoRoom : $"{trouble.Status}")}): touching it ends in SIGBUS");

    /// <summary>What the engine tells: commands that ended, pages that are waited for.</summary>
    private sealed class Events(Pager pager) : IPagerEvents
    {
        public void Completed(PagerCommand command) => pager._doorbell.Complete(command);

        public void Waiting(in PageTrouble trouble)
        {
            if (pager._driven) pager.LeaveUntold(trouble, false);
            else pager.SayWaiting(trouble);
        }

        public void GaveUp(in PageTrouble trouble)
        {
            if (pager._driven) pager.LeaveUntold(trouble, true);
            else pager.SayGaveUp(trouble);
        }
    }
}
