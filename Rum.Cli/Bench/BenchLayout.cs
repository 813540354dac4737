namespace Rum.Cli.Bench;

/// <summary>Which process runs on which CPU while a figure is taken.</summary>
public enum BenchLayout
{
    /// <summary>The program on CPU 0, the servers on CPU 1.</summary>
    Split,

    /// <summary>Everything on CPU 0.</summary>
    One,

    /// <summary>Where the scheduler puts it.</summary>
    Free,
}

internal static class BenchLayouts
{
    public static int? ProgramCpu(this BenchLayout layout) => layout == BenchLayout.Free ? null : 0;

    public static int? ServerCpu(this BenchLayout layout) => layout switch
    {
        BenchLayout.Split => 1,
        BenchLayout.One => 0,
        _ => null,
    };

    public static string Name(this BenchLayout layout) => layout switch
    {
        BenchLayout.Split => "split",
        BenchLayout.One => "one",
        _ => "free",
    };
}
