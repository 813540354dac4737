using System.Text.RegularExpressions;

namespace Rum.Cli.Bench;

/// <summary>Which figures <c>--only</c> asks for: names, their beginnings up to a dot, or patterns with * and ?; separated by commas or spaces.</summary>
internal sealed class BenchNames
{
    private readonly Regex[] _patterns;

    /// <summary>Of the option's values; empty means all.</summary>
    public BenchNames(IEnumerable<string> asked)
    {
        Asked = [.. asked.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).SelectMany(Expand)];
        // "fault.read" means fault.read and fault.read.shm, not fault.readahead.
        _patterns = [.. Asked.Select(text => new Regex(
            "^" + Regex.Escape(text.TrimEnd('.')).Replace("\\*", ".*").Replace("\\?", ".") + @"(\..*)?$", RegexOptions.CultureInvariant))];
    }

    /// <summary>What was asked for.</summary>
    public IReadOnlyList<string> Asked { get; }

    /// <summary>Whether everything is.</summary>
    public bool All => Asked.Count == 0;

    /// <summary>Whether a figure is asked for.</summary>
    public bool Match(string name) => All || _patterns.Any(pattern => pattern.IsMatch(name));

    /// <summary>What was asked for and is the name of nothing.</summary>
    public IEnumerable<string> Unknown(IEnumerable<BenchStep> steps) =>
        Asked.Where((_, i) => !steps.Any(step => step.Names.Any(name => _patterns[i].IsMatch(name))));

    /// <summary>The steps to run, in their order: those with a figure that is asked for, and those whose figures these are compared with.</summary>
    public IReadOnlyList<BenchStep> Select(IReadOnlyList<BenchStep> steps)
    {
        if (All) return steps;
        IReadOnlySet<string> references = References(steps);
        // At one thread: what others are compared with.
        return [.. steps.Where(step => step.Names.Any(name => Match(name) || (step.Threads == 1 && references.Contains(name))))];
    }

    /// <summary>The names of the figures to print: a step may yield more.</summary>
    public IReadOnlySet<string> Wanted(IReadOnlyList<BenchStep> steps) =>
        new HashSet<string>(steps.SelectMany(step => step.Names).Where(Match).Concat(References(steps)));

    private HashSet<string> References(IReadOnlyList<BenchStep> steps) =>
        [.. steps.SelectMany(step => step.Names.Where(Match).Select(step.Of)).OfType<string>()];

    // What runs over DPDK is named after its devices.
    private static string[] Expand(string asked) => asked == "dpdk" ? ["floor.dpdk", "*.vhost"] : [asked];
}
