using System.Globalization;
using System.Text;

namespace Rum.Simulation.Client;

/// <summary>What happened, for a person: the last events as text, and a hash over all of them that is equal for equal runs.</summary>
internal sealed class EventTrace
{
    private const int Kept = 256;

    private readonly Entry[] _last = new Entry[Kept];

    private readonly record struct Entry(long TimeNs, string Who, string What, long A, long B);

    /// <summary>Events so far.</summary>
    public long Count { get; private set; }

    /// <summary>Over everything noted.</summary>
    public ulong Hash { get; private set; } = 0xcbf29ce484222325;

    /// <summary>Notes an event; <paramref name="what"/> is a constant with places {0} and {1}.</summary>
    public void Note(long timeNs, string who, string what, long a = 0, long b = 0)
    {
        _last[Count++ % Kept] = new Entry(timeNs, who, what, a, b);
        Mix((ulong)timeNs);
        Mix((ulong)a * 31 + (ulong)b);
        foreach (char c in what) Mix(c);
    }

    /// <summary>The last events, oldest first, a line each.</summary>
    public string Tail(int lines = 200)
    {
        var text = new StringBuilder();
        for (long i = Math.Max(0, Count - Math.Min(lines, Kept)); i < Count; i++)
        {
            Entry e = _last[i % Kept];
            text.Append(CultureInfo.InvariantCulture, $"{e.TimeNs / 1000.0,14:F3} us  {e.Who,-10} ");
            text.AppendFormat(CultureInfo.InvariantCulture, e.What, e.A, e.B).Append('\n');
        }
        return text.ToString();
    }

    private void Mix(ulong value) => Hash = (ulong.RotateLeft(Hash, 23) ^ value) * 0x9E3779B97F4A7C15;
}
