using Rum.Core.Wire;

namespace Rum.Core.Council;

/// <summary>A set of extents as sorted, disjoint, non-touching runs [First, End).</summary>
internal sealed class ExtentRuns
{
    private readonly List<(long First, long End)> _runs = [];

    public IReadOnlyList<(long First, long End)> Runs => _runs;

    public bool Contains(long extent)
    {
        int at = FirstEndingAfter(extent);
        return at < _runs.Count && _runs[at].First <= extent;
    }

    public void Add(long first, long end)
    {
        if (first >= end) return;
        // Runs that touch melt into one.
        int from = FirstEndingAfter(first - 1);
        int to = from;
        while (to < _runs.Count && _runs[to].First <= end)
        {
            first = Math.Min(first, _runs[to].First);
            end = Math.Max(end, _runs[to].End);
            to++;
        }
        _runs.RemoveRange(from, to - from);
        _runs.Insert(from, (first, end));
    }

    public void Remove(long first, long end)
    {
        if (first >= end) return;
        int from = FirstEndingAfter(first);
        int to = from;
        (long, long) left = default, right = default;
        while (to < _runs.Count && _runs[to].First < end)
        {
            if (_runs[to].First < first) left = (_runs[to].First, first);
            if (_runs[to].End > end) right = (end, _runs[to].End);
            to++;
        }
        _runs.RemoveRange(from, to - from);
        if (right != default) _runs.Insert(from, right);
        if (left != default) _runs.Insert(from, left);
    }

    /// <summary>The parts of [first, end) that are in the set, or those that aren't.</summary>
    public List<(long First, long End)> Within(long first, long end, bool present)
    {
        var result = new List<(long, long)>();
        long position = first;
        for (int i = FirstEndingAfter(first); i < _runs.Count && _runs[i].First < end; i++)
        {
            long from = Math.Max(first, _runs[i].First), to = Math.Min(end, _runs[i].End);
            if (present) result.Add((from, to));
            else if (position < from) result.Add((position, from));
            position = to;
        }
        if (!present && position < end) result.Add((position, end));
        return result;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.U32((uint)_runs.Count);
        foreach ((long first, long end) in _runs)
        {
            writer.I64(first);
            writer.I64(end);
        }
    }

    public static bool TryRead(ref SpanReader reader, long limit, out ExtentRuns runs)
    {
        runs = new ExtentRuns();
        int count = reader.Count(16);
        long previous = -1;
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            long first = reader.I64(), end = reader.I64();
            if (first <= previous || end <= first || end > limit) { reader.Fail(); break; }
            runs._runs.Add((first, end));
            previous = end;
        }
        return !reader.Failed;
    }

    // The first run whose end lies behind an extent.
    private int FirstEndingAfter(long extent)
    {
        int low = 0, high = _runs.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_runs[middle].End > extent) high = middle;
            else low = middle + 1;
        }
        return low;
    }
}
