using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Rum.Core.Configuration;

/// <summary>A line of machines.csv.</summary>
/// <param name="Endpoint">Address and UDP port.</param>
/// <param name="Mac">MAC address as "aa:bb:cc:dd:ee:ff", empty where the line has none; only DPDK needs it.</param>
/// <param name="Line">The line in the file, from 1.</param>
public sealed record Machine(IPEndPoint Endpoint, string Mac, int Line);

/// <summary>
/// The silos of a cluster: a line each, <c>ip[:port],mac</c>, as in the original. <c>#</c> starts a comment; blank lines are skipped;
/// the port is 7400 unless given; the MAC may be left out. The first silo holds the council. Immutable.
/// </summary>
public sealed class MachinesFile
{
    private MachinesFile(string name, IReadOnlyList<Machine> machines)
    {
        Name = name;
        Machines = machines;
    }

    /// <summary>The file's name, as given.</summary>
    public string Name { get; }

    /// <summary>At least one, in the file's order.</summary>
    public IReadOnlyList<Machine> Machines { get; }

    /// <summary>The silo that holds the council: the first line's.</summary>
    public Machine Council => Machines[0];

    /// <summary>
    /// Reads the text of a file. On failure <paramref name="error"/> is "file:line:column: what is wrong; what was expected" (columns count from 1).
    /// </summary>
    public static bool TryParse(string name, string text, [NotNullWhen(true)] out MachinesFile? file, out string error)
    {
        file = null;
        error = "";
        var machines = new List<Machine>();
        int number = 0;
        foreach (ReadOnlySpan<char> raw in text.AsSpan().EnumerateLines())
        {
            number++;
            ReadOnlySpan<char> line = raw;
            if (number == 1 && line.StartsWith("\uFEFF")) line = line[1..];
            int comment = line.IndexOf('#');
            if (comment >= 0) line = line[..comment];
            if (line.IsWhiteSpace()) continue;
            if (!TryLine(line, number, out Machine? machine, out string what, out int column))
            {
                error = $"{name}:{number}:{column + 1}: {what}";
                return false;
            }
            foreach (Machine other in machines)
            {
                if (!other.Endpoint.Equals(machine.Endpoint)) continue;
                error = $"{name}:{number}:{column + 1}: {machine.Endpoint} stands already in line {other.Line}; expected each silo once";
                return false;
            }
            machines.Add(machine);
        }
        if (machines.Count == 0)
        {
            error = $"{name}:{Math.Max(1, number)}:1: no silo found; expected at least one line such as '10.0.0.1:7400,aa:bb:cc:dd:ee:ff'";
            return false;
        }
        file = new MachinesFile(name, machines);
        return true;
    }

    /// <summary>The place of an address in the file, or -1.</summary>
    public int IndexOf(IPEndPoint endpoint)
    {
        for (int i = 0; i < Machines.Count; i++)
        {
            if (Machines[i].Endpoint.Equals(endpoint)) return i;
        }
        return -1;
    }

    private static bool TryLine(ReadOnlySpan<char> line, int number, [NotNullWhen(true)] out Machine? machine, out string error, out int column)
    {
        machine = null;
        int start = LeadingSpaces(line);
        int comma = line.IndexOf(',');
        ReadOnlySpan<char> address = (comma < 0 ? line : line[..comma]).Trim();
        column = start;
        if (!Configuration.Endpoint.TryParse(address, Configuration.Endpoint.DefaultPort, out IPEndPoint endpoint, out error, out int at))
        {
            column = start + at;
            return false;
        }
        string mac = "";
        if (comma >= 0)
        {
            ReadOnlySpan<char> tail = line[(comma + 1)..];
            int macStart = comma + 1 + LeadingSpaces(tail);
            ReadOnlySpan<char> field = tail.Trim();
            if (!field.IsEmpty && !TryMac(field, out mac, out error, out at))
            {
                column = macStart + at;
                return false;
            }
        }
        machine = new Machine(endpoint, mac, number);
        return true;
    }

    private static bool TryMac(ReadOnlySpan<char> field, out string mac, out string error, out int at)
    {
        const string Expected = "expected a MAC address such as aa:bb:cc:dd:ee:ff";
        mac = "";
        error = "";
        for (at = 0; at < field.Length; at++)
        {
            if (field[at] == ',') { error = "unexpected ','; expected ip[:port],mac and nothing after it"; return false; }
            bool separator = at % 3 == 2;
            bool good = at < 17 && (separator ? field[at] is ':' or '-' : char.IsAsciiHexDigit(field[at]));
            if (!good) { error = $"'{field[at]}' is out of place; {Expected}"; return false; }
        }
        if (field.Length != 17) { error = $"'{field}' is too short; {Expected}"; return false; }
        mac = field.ToString().ToLowerInvariant().Replace('-', ':');
        return true;
    }

    private static int LeadingSpaces(ReadOnlySpan<char> text) => text.Length - text.TrimStart().Length;
}
