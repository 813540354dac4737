using Rum.Core;
using Rum.Pager.Linux;

namespace Rum.Pager.Paging;

// Faults taken in the faulting threads. The engine's owner is whoever entered InlineFaults; the pager thread carries commands out, runs timers, tells
// messages, and waits for what takes long.
public sealed partial class Pager
{
    // Between looks of the pager thread while others drive.
    private const long NapNs = 8_000_000;

    // While others drive, and neither a call nor a timer waits, it comes in so often: each time costs who drives two switches.
    private const long InsistNs = 50_000_000;

    // A handler that somebody put before ours is noticed so soon at the latest.
    private const long HandlerLookNs = 500_000_000;

    // An idle program is looked after so often.
    private const long IdleLookNs = 1_000_000_000;

    // Then the rest of the wait is the pager thread's, which can sleep for it.
    private const long DriveNs = 100_000;
    private const int UntoldMax = 64;

    private static Pager? s_inline;

    private readonly InlineFaults? _faults;
    private readonly (PageTrouble Trouble, bool GaveUp)[] _untold = new (PageTrouble, bool)[UntoldMax];
    private int _untoldCount;
    private bool _watching;
    private bool _driven;
    private ulong _seenDrives;
    private long _handlerLookNs;
    private long _insistNs;

    /// <summary>A faulting thread drives the engine until its own fault is over, or takes long. It entered before, and leaves afterwards with what this returns.</summary>
    internal static unsafe int DriveInline(WaitingFault* own)
    {
        try
        {
            // Not there: the fault was handed in while the pager ended, and is given back by that.
            return s_inline is { } pager ? pager.Drive(own) : FaultTableState.LeaveNothing;
        }
        catch (Exception e)
        {
            Environment.FailFast($"rum: the pager met a defect and stops the process: {e}", e);
            return 0;
        }
    }

    private static RumError StartInline(Userfaultfd uffd, out Userfaultfd? bell, out InlineFaults? faults, out string why)
    {
        faults = null;
        RumError error = Userfaultfd.Open(false, out bell, out why);
        if (error != RumError.None) return error;
        faults = InlineFaults.Start(uffd.Descriptor, out int number);
        if (faults is not null) return RumError.None;
        why = number == PagerNative.Enosys
            ? "faults are resolved in the faulting thread only where librum.so is loaded as such"
            : $"the handler of SIGBUS could not be installed: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(number)}";
        bell!.Dispose();
        return RumError.BadConfiguration;
    }

    private unsafe int Drive(WaitingFault* own)
    {
        _driven = true;
        EndWatch();
        long idleSince = _mapper.NowNs;
        while (true)
        {
            long now = _mapper.NowNs;
            bool moved = _faults!.Take(_engine, now);
            moved |= _engine.Step(now, timers: false);
            if (InlineFaults.IsOver(own)) break;
            if (moved) idleSince = now;
            else if (now - idleSince >= DriveNs) break;
            else if (_shared > 0 || now - idleSince > SpinAloneNs) Yield();
        }

        _driven = false;
        return _engine.NeedsSteps || _untoldCount > 0 ? FaultTableState.LeaveSteps : FaultTableState.LeaveNothing;
    }

    private unsafe void RunInline()
    {
        try
        {
            _faults!.Quiet();
            UserfaultfdAbi.Message* messages = stackalloc UserfaultfdAbi.Message[MessageBatch];
            PagerNative.PollDescriptor* polls = stackalloc PagerNative.PollDescriptor[WaitDescriptorsMax + 2];
            long start = GC.GetAllocatedBytesForCurrentThread();
            bool called = true;
            while (true)
            {
                int descriptors = 0;
                long wait = NapNs;
                if (TryEnterAsPager(called))
                {
                    AttendInline(messages);
                    Volatile.Write(ref _managedBytes, GC.GetAllocatedBytesForCurrentThread() - start);
                    if (_stop)
                    {
                        _faults.Leave(FaultTableState.LeavePager);
                        return;
                    }

                    bool again = !PrepareRest(polls + 2, ref descriptors, ref wait);
                    _faults.Leave(FaultTableState.LeavePager);
                    if (again || _faults.HasSubmitted)
                    {
                        _faults.SetPager(FaultTableState.Awake);
                        continue;
                    }
                }

                called = Rest(polls, descriptors, wait);
            }
        }
        catch (Exception e)
        {
            Environment.FailFast($"rum: the pager met a defect and stops the process: {e}", e);
        }
    }

    /// <summary>Who drives now tells when it leaves; its fault takes some microseconds, or it leaves the waiting to us.</summary>
    private bool TryEnterAsPager(bool called)
    {
        if (!_faults!.TryEnter())
        {
            _faults.SetPager(FaultTableState.Naps);
            long now = _mapper.NowNs;
            if (!called && now < _insistNs && now < _engine.NextTimerNs) return false;
            _faults.Want(true);
            if (!_faults.TryEnter()) return false;
            _faults.SetPager(FaultTableState.Awake);
        }

        _faults.Want(false);
        _insistNs = _mapper.NowNs + InsistNs;
        return true;
    }

    /// <summary>Owner: polls while progress comes, as <see cref="Attend"/> does.</summary>
    private unsafe void AttendInline(UserfaultfdAbi.Message* messages)
    {
        EndWatch();
        long idleSince = _mapper.NowNs;
        for (int n = 0; !_stop; n++)
        {
            long now = _mapper.NowNs;
            bool moved = _faults!.Take(_engine, now);
            if (n % SpinsPerRead == 0)
            {
                int got = _bell.ReadNow(messages, MessageBatch);
                for (int i = 0; i < got; i++)
                {
                    if (messages[i].Event != UserfaultfdAbi.EventPagefault) continue;
                    if (_doorbell.Take((nint)messages[i].Address, out _) is { } command) Execute(command);
                }

                moved |= got > 0;
            }

            moved |= _engine.Step(now);
            if (_untoldCount > 0) TellUntold();
            if (now >= _handlerLookNs)
            {
                _handlerLookNs = now + HandlerLookNs;
                _faults.Watch();
            }

            if (moved) idleSince = now;
            else if (!_engine.Urgent || now - idleSince >= SpinNs) return;
            else if (_shared > 0 || now - idleSince > SpinAloneNs) Yield();
        }
    }

    /// <summary>Owner: decides how to wait. While faulting threads drive, only naps; they see to what comes. False: something came already.</summary>
    private unsafe bool PrepareRest(PagerNative.PollDescriptor* polls, ref int descriptors, ref long wait)
    {
        ulong drives = _faults!.Drives;
        bool recent = drives != _seenDrives;
        _seenDrives = drives;
        if (recent && !_engine.HasCommands && !_faults.NeedsPager)
        {
            _faults.SetPager(FaultTableState.Naps);
            return true;
        }

        if (!_engine.NeedsSteps)
        {
            wait = IdleLookNs;
            _faults.SetPager(FaultTableState.Sleeps);
            return true;
        }

        Span<int> list = stackalloc int[WaitDescriptorsMax];
        int count = _channel.WaitDescriptors(list);
        long deadline = _engine.NextDeadlineNs;
        wait = deadline == long.MaxValue ? IdleLookNs : Math.Clamp(deadline - _mapper.NowNs, 0, IdleLookNs);
        if (count < 0) return false;
        _watching = true;
        if (!_channel.PrepareWait())
        {
            EndWatch();
            return false;
        }

        for (int i = 0; i < count; i++) polls[i] = new() { Descriptor = list[i], Events = PagerNative.PollIn };
        descriptors = count;
        _faults.SetPager(FaultTableState.Watches);
        return true;
    }

    /// <summary>False: nobody called.</summary>
    private unsafe bool Rest(PagerNative.PollDescriptor* polls, int descriptors, long wait)
    {
        polls[0] = new() { Descriptor = _faults!.Event, Events = PagerNative.PollIn };
        polls[1] = new() { Descriptor = _bell.Descriptor, Events = PagerNative.PollIn };
        PagerNative.TimeSpec timeout = new() { Seconds = wait / 1_000_000_000, Nanoseconds = wait % 1_000_000_000 };
        int called = PagerNative.Ppoll(polls, (ulong)(descriptors + 2), &timeout, null);
        _faults.SetPager(FaultTableState.Awake);
        ulong calls;
        if (called > 0 && polls[0].Returned != 0) PagerNative.Read(_faults.Event, &calls, sizeof(ulong));
        return called != 0;
    }

    /// <summary>Owner: the channel is driven, so its peers needn't wake anybody.</summary>
    private void EndWatch()
    {
        if (!_watching) return;
        _watching = false;
        _channel.FinishWait();
    }

    /// <summary>A faulting thread may be anywhere in the program and makes no text: the pager thread does.</summary>
    private void LeaveUntold(in PageTrouble trouble, bool gaveUp)
    {
        if (_untoldCount == UntoldMax) return;
        _untold[_untoldCount++] = (trouble, gaveUp);
        _faults!.CountUntold(1);
    }

    private void TellUntold()
    {
        for (int i = 0; i < _untoldCount; i++)
        {
            (PageTrouble trouble, bool gaveUp) = _untold[i];
            if (gaveUp) SayGaveUp(trouble);
            else SayWaiting(trouble);
            _untold[i] = default;
        }

        _faults!.CountUntold(-_untoldCount);
        _untoldCount = 0;
    }

    private void EndInline()
    {
        if (_faults is null) return;
        while (!_faults.TryEnter()) Thread.Yield();
        EndWatch();
        _engine.Dispose();
        s_inline = null;
        _faults.Leave(FaultTableState.LeavePager);
        _faults.Close();
    }
}
