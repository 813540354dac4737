namespace Rum.FastPath.Server;

/// <summary>Shares the server's credits out among the sessions seen lately. An estimate: two sessions in one cell count as one or as many.</summary>
internal sealed class CreditShare(PageServerOptions options)
{
    private const int Cells = 1024;
    private const long WindowNs = 100_000_000;

    private readonly (ulong Session, long Window)[] _cells = new (ulong, long)[Cells];
    private long _windowEndNs;
    private long _window;
    private int _seen;
    private ushort _share = (ushort)options.CreditsMax;
    private ulong _lastSession = ulong.MaxValue;

    /// <summary>What a session may have outstanding, in pages.</summary>
    public ushort For(ulong session, long nowNs)
    {
        if (nowNs >= _windowEndNs)
        {
            _share = (ushort)Math.Clamp(options.CreditsTotal / Math.Max(1, _seen), options.CreditsMin, options.CreditsMax);
            _windowEndNs = nowNs + WindowNs;
            _window++;
            _seen = 0;
            _lastSession = ulong.MaxValue;
        }
        if (session == _lastSession) return _share;
        _lastSession = session;
        ref (ulong Session, long Window) cell = ref _cells[(session * 0x9E3779B97F4A7C15) >> 54];
        if (cell.Session != session || cell.Window != _window)
        {
            cell = (session, _window);
            _seen++;
        }
        return _share;
    }
}
