using Rum.FastPath.Drivers;

namespace Rum.FastPath.Server;

/// <content>Frames lent to the driver, so that a page is received where it will live.</content>
internal sealed unsafe partial class ServerPort
{
    // Frames lent for nothing keep their blocks from being given back.
    private const long KeepLentNs = 1_000_000_000;

    private int _lent;
    private bool _pagesCome;
    private long _landedNs;

    /// <summary>When <see cref="Lend"/> takes frames back if no page comes before, <see cref="long.MaxValue"/> while none are lent.</summary>
    public long LentUntilNs => _lent == 0 ? long.MaxValue : _landedNs + KeepLentNs + 1;

    /// <summary>
    /// Before a burst is received: lends frames while pages come, and takes them back when none came for long. Every frame of the burst before was handled.
    /// </summary>
    public void Lend(PagePool pool, long nowNs)
    {
        if (_pagesCome)
        {
            _pagesCome = false;
            _landedNs = nowNs;
            int most = Math.Min(Burst, pool.LentFramesMax);
            for (int i = 0; i < most; i++)
            {
                if (Rx[i].Landing != null) continue;
                uint frame = pool.LendFrame();
                if (frame == 0) return;
                Rx[i].Landing = pool.Address(frame);
                _lent++;
            }
        }
        else if (_lent > 0 && nowNs - _landedNs > KeepLentNs)
        {
            for (int i = 0; i < Burst; i++)
            {
                if (Rx[i].Landing == null) continue;
                pool.TakeBack(pool.FrameAt(Rx[i].Landing), unused: true);
                Rx[i].Landing = null;
            }
            _lent = 0;
        }
    }

    /// <summary>
    /// The frame that a whole page landed in, which is the caller's then; 0: it didn't, and must be copied. Either way the next burst finds frames lent.
    /// </summary>
    public uint TakeLanded(PagePool pool, ref RxFrame received)
    {
        _pagesCome = Traits.UsesLanding;
        if (received.Landing == null || received.Payload != received.Landing) return 0;
        uint frame = pool.FrameAt(received.Landing);
        received.Landing = null;
        _lent--;
        pool.TakeBack(frame, unused: false);
        return frame;
    }
}
