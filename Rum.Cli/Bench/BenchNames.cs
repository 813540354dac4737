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

    /// <summary>
    /// What runs in which layout: what is asked for in each of its own, or of those <paramref name="chosen"/>; what is only compared with beside it, and in the first of its own
    /// where it has none of these.
    /// </summary>
    public IReadOnlyList<(BenchStep Step, BenchLayout Layout)> Plan(IReadOnlyList<BenchStep> steps, IReadOnlyList<string> chosen)
    {
        IReadOnlyList<BenchStep> selected = Select(steps);
        bool Asked(BenchStep step) => step.Names.Any(Match);
        BenchLayout[] here = [.. new[] { BenchLayout.One, BenchLayout.Split, BenchLayout.Free }.Where(layout => chosen.Count == 0 || chosen.Contains(layout.Name()))];
        BenchLayout[] asked = [.. here.Where(layout => selected.Any(step => Asked(step) && step.Layouts.Contains(layout)))];
        bool Runs(BenchStep step, BenchLayout layout) => Asked(step)
            ? asked.Contains(layout) && step.Layouts.Contains(layout)
            : step.Layouts.Any(asked.Contains) ? asked.Contains(layout) && step.Layouts.Contains(layout) : asked.Length > 0 && layout == step.Layouts[0];
        // Layout by layout, so that a server is started once for each.
        return [.. from layout in new[] { BenchLayout.One, BenchLayout.Split, BenchLayout.Free } from step in selected where Runs(step, layout) select (step, layout)];
    }

    /// <summary>The names of the figures to print: a step may yield more.</summary>
    public IReadOnlySet<string> Wanted(IReadOnlyList<BenchStep> steps) =>
        new HashSet<string>(steps.SelectMany(step => step.Names).Where(Match).Concat(References(steps)));

    private HashSet<string> References(IReadOnlyList<BenchStep> steps) =>
        [.. steps.SelectMany(step => step.Names.Where(Match).Select(step.Of)).OfType<string>()];

    // What runs over DPDK is named after its devices.
    private static string[] Expand(string asked) => asked == "dpdk" ? ["floor.dpdk", "*.vhost", "*.packet", "*.veth", "loss", "fair"] : [asked];
}
