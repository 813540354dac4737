using System.Numerics;
using Rum.Core;

namespace Rum.Pager.Paging;

// Windows fetched ahead: unmapped until their first fault, which maps all of one and asks for the next.
public sealed unsafe partial class PagerEngine
{
    private const int StreamCount = 8;
    private const int FirstWindow = 8;
    private const int JobCount = 16;

    // Windows asked for beyond the one that the program is in: one travels while the next is being read at the silo.
    private const int WindowsAhead = 2;

    private const int HeldMax = 16;

    // A held window is mapped as far as it came when no answer came for so long.
    private const long HoldGapNs = 20_000;

    private readonly int _window;
    private readonly Stream[] _streams = new Stream[StreamCount];
    private readonly PrefetchJob[] _jobs = new PrefetchJob[JobCount];
    private readonly int[] _held = new int[HeldMax];
    private int _heldCount;
    private int _nextStream;
    private int _aheadOldest = -1;
    private int _aheadNewest = -1;
    private int _aheadPages;
    private int _jobCount;
    private long _prefetched;

    /// <summary>A run of faults front to back (+1) or back to front (-1).</summary>
    private struct Stream
    {
        internal Region? Region;
        internal long Last;
        internal int Direction;
        internal int Window;
    }

    private struct PrefetchJob
    {
        internal Region Region;
        internal long Page;
        internal long End;
    }

    /// <summary>Whether this fault goes on where the last one of its region ended; remembers it. Cheap: eight compares.</summary>
    private bool Sequential(Region region, long page) => StreamOf(region, page) is int s && _streams[s].Window > 0;

    private int StreamOf(Region region, long page)
    {
        for (int s = 0; s < StreamCount; s++)
        {
            ref Stream known = ref _streams[s];
            if (known.Region != region) continue;
            long step = page - known.Last;
            if (step is < -1 or > ZeroRun or 0) continue;
            int direction = step > 0 ? 1 : -1;
            bool straight = step is 1 or -1 || known.Window > 0;
            if (!straight) continue;
            known.Window = known.Direction == direction || known.Window == 0 ? Math.Min(Math.Max(known.Window * 2, FirstWindow), _window) : 0;
            known.Direction = direction;
            known.Last = page;
            return s;
        }

        int taken = _nextStream;
        _nextStream = (taken + 1) % StreamCount;
        _streams[taken] = new Stream { Region = region, Last = page };
        return taken;
    }

    /// <summary>After a fault that had to wait for its page: if it continues a run, the run's next window is asked for.</summary>
    private void Follow(Region region, long page)
    {
        if (_window == 0) return;
        int s = StreamOf(region, page);
        ref Stream stream = ref _streams[s];
        if (stream.Window == 0) return;
        StartNext(region, s, stream.Direction > 0 ? page + 1 : page - 1);
    }

    /// <summary>After the first fault in a window: as many pages are asked for beyond it as <see cref="WindowsAhead"/> windows hold.</summary>
    private void FollowHit(Region region, int s, long first, int count)
    {
        if (s < 0) return;
        ref Stream stream = ref _streams[s];
        if (stream.Region != region) return;
        stream.Window = Math.Min(stream.Window * 2, _window);
        for (int n = 0; n < WindowsAhead; n++)
        {
            long ahead = stream.Direction > 0 ? stream.Last - (first + count - 1) : first - stream.Last;
            if (ahead < 0 || ahead >= (long)stream.Window * WindowsAhead) return;
            if (!StartNext(region, s, stream.Last + stream.Direction)) return;
        }
    }

    /// <summary>Keeps a window that somebody waits for together while its answers come.</summary>
    private void Hold(int fetch, long nowNs)
    {
        ref Fetch f = ref _fetches[fetch];
        f.ArrivedNs = nowNs;
        if (_heldCount == HeldMax)
        {
            MapReady(fetch);
            return;
        }

        f.Held = true;
        _held[_heldCount++] = fetch;
    }

    private void Unhold(int fetch)
    {
        _fetches[fetch].Held = false;
        int at = Array.IndexOf(_held, fetch, 0, _heldCount);
        _held[at] = _held[--_heldCount];
    }

    private long HeldDeadlineNs
    {
        get
        {
            long due = long.MaxValue;
            for (int i = 0; i < _heldCount; i++) due = Math.Min(due, _fetches[_held[i]].ArrivedNs + HoldGapNs);
            return due;
        }
    }

    private bool ReleaseHeld(long nowNs)
    {
        bool any = false;
        for (int i = _heldCount - 1; i >= 0; i--)
        {
            int fetch = _held[i];
            if (nowNs - _fetches[fetch].ArrivedNs < HoldGapNs) continue;
            Unhold(fetch);
            MapReady(fetch);
            any = true;
        }

        return any;
    }

    private bool StartNext(Region region, int s, long next)
    {
        ref Stream stream = ref _streams[s];
        long first = stream.Direction > 0 ? next : Math.Max(next - stream.Window + 1, 0);
        int count = stream.Direction > 0 ? stream.Window : (int)(next - first + 1);
        if (next < 0 || count <= 0) return false;
        int got = StartWindow(region, first, count, s, stream.Direction < 0, false);
        if (got == 0) return false;
        stream.Last = stream.Direction > 0 ? first + got - 1 : next - got + 1;
        return true;
    }

    /// <summary>
    /// Asks for up to <paramref name="count"/> pages from <paramref name="first"/> on (or up to its end, <paramref name="fromEnd"/>), as far
    /// as they are remote and absent, in one extent, and there are slots. Returns how many.
    /// </summary>
    private int StartWindow(Region region, long first, int count, int stream, bool fromEnd, bool atOnce)
    {
        Clip(region, ref first, ref count, fromEnd);
        count = Math.Min(count, _channel.Capacity - _channel.Outstanding - 1);
        if (count <= 0 || _unusedFetch < 0) return 0;
        while (_aheadPages + count > _options.CachePages / 4 && DropOneAhead()) { }
        if (_aheadPages + count > _options.CachePages / 4) return 0;
        if (_slots.Free + _unbacked < count + 2) EvictSome(count);
        if (_slots.Free + _unbacked < 4) return 0;
        if (region.Copies && !TakeUnbacked(count)) return 0;
        int slot = TakeSlots(count, out int got);
        if (region.Copies) _unbacked += count - Math.Max(got, 0);
        if (slot < 0) return 0;
        if (fromEnd) first += count - got;
        int fetch = NewFetch(region, first, got);
        ref Fetch f = ref _fetches[fetch];
        f.Slot = slot;
        f.Stream = stream;
        f.AtOnce = atOnce;
        f.Ahead = true;
        if (!TryIssue(fetch))
        {
            for (int k = 0; k < got; k++) FreeSlot(region, slot + k);
            f.Ahead = false;
            ReleaseFetch(fetch);
            return 0;
        }

        for (int k = 0; k < got; k++) region.Set(first + k, region[first + k].StartLoad(fetch, true));
        LinkAhead(fetch);
        _prefetched += got;
        return got;
    }

    private void Clip(Region region, ref long first, ref int count, bool fromEnd)
    {
        if (fromEnd)
        {
            long last = Math.Min(first + count, region.Pages) - 1;
            int n = 0;
            while (n < count && last - n >= 0 && Fetchable(region, last - n) && Layout.ExtentOfPage(last - n) == Layout.ExtentOfPage(last)) n++;
            first = last - n + 1;
            count = n;
        }
        else
        {
            int n = 0;
            while (n < count && first + n < region.Pages && Fetchable(region, first + n) && Layout.ExtentOfPage(first + n) == Layout.ExtentOfPage(first)) n++;
            count = n;
        }
    }

    private static bool Fetchable(Region region, long page)
    {
        PageWord word = region[page];
        return word.State == PageState.Absent && region.IsRemote(word);
    }

    private void LinkAhead(int fetch)
    {
        _fetches[fetch].Next = -1;
        if (_aheadNewest >= 0) _fetches[_aheadNewest].Next = fetch;
        else _aheadOldest = fetch;
        _aheadNewest = fetch;
        _aheadPages += _fetches[fetch].Count;
    }

    private void UnlinkAhead(int fetch)
    {
        int previous = -1;
        for (int f = _aheadOldest; f != fetch; f = _fetches[f].Next) previous = f;
        int next = _fetches[fetch].Next;
        if (previous >= 0) _fetches[previous].Next = next;
        else _aheadOldest = next;
        if (_aheadNewest == fetch) _aheadNewest = previous;
        _aheadPages -= _fetches[fetch].Count;
    }

    /// <summary>Gives the slots of the oldest complete window that nobody touched back. False when there is none.</summary>
    private bool DropOneAhead()
    {
        for (int fetch = _aheadOldest; fetch >= 0; fetch = _fetches[fetch].Next)
        {
            ref Fetch f = ref _fetches[fetch];
            if (f.Asked != 0 || f.Wanted != 0 || f.Queued || f.Touched || f.Region!.Closed) continue;
            DropAhead(fetch);
            return true;
        }

        return false;
    }

    private void DropAhead(int fetch)
    {
        ref Fetch f = ref _fetches[fetch];
        Region region = f.Region!;
        for (ulong left = f.All & ~f.Gone; left != 0; left &= left - 1)
        {
            int k = BitOperations.TrailingZeroCount(left);
            region.Set(f.First + k, region[f.First + k].AbandonLoad());
            FreeSlot(region, f.Slot + k);
        }

        f.Gone = f.All;
        EndFetch(fetch);
    }

    private void AddPrefetchJob(Region region, long page, long end)
    {
        if (_jobCount == JobCount) return;
        _jobs[_jobCount++] = new PrefetchJob { Region = region, Page = page, End = Math.Min(end, page + _options.CachePages / 2) };
        RunPrefetchJobs();
    }

    private void RunPrefetchJobs()
    {
        while (_jobCount > 0)
        {
            ref PrefetchJob job = ref _jobs[_jobCount - 1];
            while (!job.Region.Closed && job.Page < job.End)
            {
                if (!Fetchable(job.Region, job.Page))
                {
                    job.Page++;
                    continue;
                }

                int got = StartWindow(job.Region, job.Page, (int)Math.Min(Math.Max(_window, 1), job.End - job.Page), -1, false, true);
                if (got == 0 && _channel.Outstanding > 0) return;
                if (got == 0) break;
                job.Page += got;
            }

            job.Region = null!;
            _jobCount--;
        }
    }
}
