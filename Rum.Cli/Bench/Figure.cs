using System.Text.Json.Serialization;

namespace Rum.Cli.Bench;

/// <summary>A measured figure: the median over its runs. One object a line in <c>rum bench --json</c>.</summary>
public sealed record Figure(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("layout")] string Layout,
    [property: JsonPropertyName("threads")] int Threads,
    [property: JsonPropertyName("p50_us")] double P50Us,
    [property: JsonPropertyName("p99_us")] double P99Us,
    [property: JsonPropertyName("ops_per_s")] double OpsPerSecond,
    [property: JsonPropertyName("ratio")] double? Ratio,
    [property: JsonPropertyName("of")] string? Of,
    [property: JsonPropertyName("steal_pct")] double StealPct,
    [property: JsonPropertyName("foreign_pct")] double ForeignPct,
    [property: JsonPropertyName("runs")] int Runs,
    [property: JsonPropertyName("disturbed")] bool Disturbed);

[JsonSerializable(typeof(Figure))]
internal sealed partial class FigureJson : JsonSerializerContext;
