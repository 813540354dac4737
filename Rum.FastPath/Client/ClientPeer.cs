using Rum.Core;
using Rum.FastPath.Direct;
using Rum.FastPath.Drivers;

namespace Rum.FastPath.Client;

/// <summary>One life of a silo as the page client sees it: its way, its measured round trip (RFC 6298), its credits, and the requests that it has.</summary>
internal sealed class ClientPeer(Incarnation incarnation, ClientPort port, PeerAddress address, PageClientOptions options)
{
    private const int BackOffMax = 8;
    private const int ProbesMax = 2;

    private readonly long _resendMin = port.Driver.Traits.Reliable ? options.ReliableResendNsMin : options.ResendNsMin;
    private readonly long _resendMax = Math.Max(options.ResendNsMax, port.Driver.Traits.Reliable ? options.ReliableResendNsMin : options.ResendNsMin);
    private readonly bool _lossy = !port.Driver.Traits.Reliable;
    private long _smoothed, _variation;
    private long _probeAfter = long.MaxValue >> ProbesMax;
    private int _backOff;

    public Incarnation Incarnation => incarnation;

    public ClientPort Port => port;

    public PeerAddress Address => address;

    public SlotList Queue = SlotList.Empty;

    public SlotList Sent = SlotList.Empty;

    /// <summary>Pages of the requests in <see cref="Sent"/>.</summary>
    public int InFlight { get; set; }

    public int Credits { get; set; } = options.InitialCredits;

    /// <summary>When it was last heard; 0 before.</summary>
    public long HeardNs { get; set; }

    /// <summary>Until then reads go to other replicas first: it was silent.</summary>
    public long AvoidUntilNs { get; set; }

    /// <summary>When a request that was sent and not answered is sent again.</summary>
    public long ResendAfterNs { get; private set; } =
        Math.Max(20_000_000, port.Driver.Traits.Reliable ? options.ReliableResendNsMin : options.ResendNsMin);

    /// <summary>How long a request that was probed so often waits before it is sent again; from <see cref="ResendAfterNs"/> on that is a time-out.</summary>
    public long WaitNs(int probes) => probes < ProbesMax ? Math.Min(_probeAfter << probes, ResendAfterNs) : ResendAfterNs;

    /// <summary>The smoothed round trip.</summary>
    public long RoundTripNs => _smoothed;

    /// <summary>
    /// Something came: the peer lives. <paramref name="roundTripNs"/> below 0: not to be used as a measure, the request timed out (Karn). Of one that
    /// was only probed it is the time since it was first sent: too long where a frame was lost, but right where the silo is slow, so that slowness isn't probed for ever.
    /// </summary>
    public void Answered(long roundTripNs)
    {
        if (roundTripNs >= 0)
        {
            if (_smoothed == 0)
            {
                _smoothed = Math.Max(1, roundTripNs);
                _variation = roundTripNs / 2;
            }
            else
            {
                _variation += (Math.Abs(_smoothed - roundTripNs) - _variation) / 4;
                _smoothed = Math.Max(1, _smoothed + ((roundTripNs - _smoothed) / 8));
            }
        }
        else if (_backOff == 0)
        {
            return;
        }
        _backOff = 0;
        Update();
    }

    /// <summary>Nothing came in time.</summary>
    public void TimedOut()
    {
        if (_backOff < BackOffMax) _backOff++;
        Update();
    }

    private void Update()
    {
        long measured = _smoothed == 0 ? 20_000_000 : _smoothed + (4 * _variation);
        ResendAfterNs = Math.Min(Math.Clamp(measured, _resendMin, _resendMax) << _backOff, _resendMax);
        // A silo that is silent is not probed.
        bool probes = _smoothed != 0 && _backOff == 0 && _lossy;
        _probeAfter = probes ? Math.Clamp(measured, options.ProbeNsMin, _resendMax) : long.MaxValue >> ProbesMax;
    }
}

/// <summary>One driver of the page client: its burst of received frames and the frames to send.</summary>
internal sealed class ClientPort(IDriver driver) : IDisposable
{
    public const int Burst = 32;

    public IDriver Driver { get; } = driver;

    public Frames.TxBatch Tx { get; } = new(driver);

    public RxFrame[] Rx { get; } = new RxFrame[Burst];

    /// <summary>That its peer hung up has been told.</summary>
    public bool Hung { get; set; }

    public bool UsesLanding { get; } = driver.Traits.UsesLanding;

    public bool Checksummed { get; } = driver.Traits.Checksummed;

    public int MaxPayload { get; } = driver.Traits.MaxPayload;

    public DirectReader? Direct { get; } = driver.Direct;

    /// <summary>So many reads still go by message because a page was sent there lately.</summary>
    public int AsksStill { get; set; }

    /// <summary>Pages read directly since it was looked whether the peer is still there.</summary>
    public int Unlooked { get; set; }

    /// <summary>Ends the driver too.</summary>
    public void Dispose()
    {
        Tx.Dispose();
        Driver.Dispose();
    }
}
