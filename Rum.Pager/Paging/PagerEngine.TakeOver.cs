using Rum.Core;
using Rum.FastPath.Client;

namespace Rum.Pager.Paging;

// Mapping for writing what another has written before: first its silos must know, and agree.
public sealed unsafe partial class PagerEngine
{
    private const ulong TakeOverCookie = 1UL << 62 | WriteCookie;

    // What a Map command waits for.
    private const int ToAsk = 0, Asked = 1, Ready = 2;

    private ulong _takeOvers;

    private RumError BeginMap(PagerCommand command)
    {
        RegionOptions options = command.Region;
        if (options.Bytes < 0 || options.ReservedBytes <= 0 || options.Bytes > options.ReservedBytes || options.ReservedBytes > Layout.MaxSegmentSize)
            return RumError.InvalidArgument;
        bool taken = options.ReadOnly || options.Fresh || options.Segment.Token == 0 || !_channel.TakesOver;
        command.Phase = taken ? Ready : ToAsk;
        command.StartNs = _mapper.NowNs;
        command.Cookie = TakeOverCookie | ++_takeOvers;
        return RumError.None;
    }

    private bool AdvanceMap(PagerCommand command)
    {
        if (command.Phase == Ready)
        {
            if (command.Result == RumError.None) command.Result = MapRegion(command);
            return true;
        }

        if (command.Phase == ToAsk && _channel.TryTakeOver(command.Region.Segment, Layout.PagesFor(command.Region.Bytes), command.Cookie)) command.Phase = Asked;
        return false;
    }

    private void TakeOverEnded(ref PageCompletion c)
    {
        for (int i = 0; i < _activeCount; i++)
        {
            PagerCommand command = _active[i]!;
            if (command.Kind != PagerCommandKind.Map || command.Cookie != c.Cookie) continue;
            command.Phase = Ready;
            command.Result = c.Status switch
            {
                PageStatus.Ok => RumError.None,
                PageStatus.Gone => RumError.NotFound,
                PageStatus.OutOfMemory => RumError.OutOfMemory,
                PageStatus.Fenced or PageStatus.Superseded => RumError.Fenced,
                _ => RumError.Internal,
            };
        }
    }

    /// <summary>Gives up what a silo doesn't answer in time. True: it did.</summary>
    private bool CheckTakeOver(PagerCommand command, long nowNs)
    {
        long limit = _options.FaultTimeoutNs > 0 ? _options.FaultTimeoutNs : _options.TakeOverTimeoutNs;
        if (command.Phase == Ready || nowNs - command.StartNs < limit) return false;
        command.Silent = _channel.TakeOverWaitsFor(command.Cookie);
        command.Result = RumError.Timeout;
        _channel.Cancel(command.Cookie);
        return true;
    }

    private void AbandonTakeOvers(RumError why)
    {
        for (int i = 0; i < _activeCount;)
        {
            PagerCommand command = _active[i]!;
            if (command.Kind != PagerCommandKind.Map)
            {
                i++;
                continue;
            }

            _channel.Cancel(command.Cookie);
            command.Result = why;
            Finish(i);
        }
    }
}
