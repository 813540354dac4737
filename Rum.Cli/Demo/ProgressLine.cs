using System.Diagnostics;

namespace Rum.Cli.Demo;

/// <summary>Progress: a bar that moves on a terminal, a plain line every few seconds in a log.</summary>
internal sealed class ProgressLine
{
    private const int BarWidth = 40;
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(3);

    private readonly bool _terminal = !Console.IsOutputRedirected;
    private readonly Stopwatch _phaseTime = new();
    private readonly Stopwatch _sinceLog = new();
    private string _phase = "";
    private bool _ended;

    public void Show(string phase, long done, long total)
    {
        if (phase != _phase)
        {
            _phase = phase;
            _phaseTime.Restart();
            _sinceLog.Restart();
            _ended = false;
        }
        if (_ended) return;
        bool ended = _ended = done == total;
        double rate = done / Math.Max(0.001, _phaseTime.Elapsed.TotalSeconds);
        if (_terminal)
        {
            int filled = (int)(done * BarWidth / Math.Max(1, total));
            Console.Write($"\r{phase,-7} [{new string('#', filled)}{new string('.', BarWidth - filled)}] {done * 100 / Math.Max(1, total),3}%  {rate,9:#,0} pages/s ");
            if (ended) Console.WriteLine();
        }
        else if (ended || _sinceLog.Elapsed > LogInterval)
        {
            _sinceLog.Restart();
            Console.WriteLine($"{phase}: {done:#,0} of {total:#,0} pages, {rate:#,0} pages/s");
        }
    }
}
