using System.Globalization;
using System.Text;

namespace Rum.Pager.Session;

/// <summary>The counters as lines for people and as JSON for programs, by hand: no reflection in this library.</summary>
internal sealed class StatisticsText(bool json)
{
    private readonly StringBuilder _text = new(json ? "{" : "");
    private bool _first = true;

    /// <summary>Begins a group.</summary>
    public void Begin(string name)
    {
        if (json) Key(name).Append('{');
        else _text.Append(name).Append('\n');
        _first = true;
    }

    /// <summary>Ends a group.</summary>
    public void End()
    {
        if (json) _text.Append('}');
        _first = false;
    }

    /// <summary>A whole number.</summary>
    public void Add(string name, long value)
    {
        if (json) Key(name).Append(CultureInfo.InvariantCulture, $"{value}");
        else _text.Append(CultureInfo.InvariantCulture, $"  {name,-26} {value}\n");
    }

    /// <summary>A measure.</summary>
    public void Add(string name, double value)
    {
        if (json) Key(name).Append(CultureInfo.InvariantCulture, $"{value:0.###}");
        else _text.Append(CultureInfo.InvariantCulture, $"  {name,-26} {value:0.###}\n");
    }

    /// <summary>A word. Without characters that JSON would have to escape.</summary>
    public void Add(string name, string value)
    {
        if (json) Key(name).Append('"').Append(value).Append('"');
        else _text.Append(CultureInfo.InvariantCulture, $"  {name,-26} {value}\n");
    }

    /// <inheritdoc/>
    public override string ToString() => json ? _text + "}" : _text.ToString();

    private StringBuilder Key(string name)
    {
        if (!_first) _text.Append(',');
        _first = false;
        return _text.Append('"').Append(name).Append("\":");
    }
}
