using Microsoft.Extensions.Logging;
using Rum.Core.Council;
using Rum.Core.Sessions;
using Rum.FastPath.Linux;
using Rum.Silo.Council;
using Rum.Silo.Storage;

namespace Rum.Silo;

/// <content>This silo's seat of the council: opened at the start where there is one, made after the join where there is a directory for it.</content>
public sealed partial class SiloNode
{
    private CouncilLeader TakeSeat(ICouncilStore store)
    {
        try
        {
            return new CouncilLeader(
                store, (int)_settings.Lease.TotalMilliseconds, () => MonotonicClock.NowNs, _loggers.CreateLogger("Rum.Silo.Council"), Fail,
                _settings.Dev ? null : new CouncilLink(_settings.Self.ToString()),
                new SilenceOptions { SuspectNs = (long)_settings.Suspect.TotalNanoseconds })
            {
                // Where requests are carried, session grains end sessions; the council itself ends those that none watches.
                ExpiryGrace = _carrier is null ? TimeSpan.Zero : _settings.Lease,
            };
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private void TellMembership(CouncilNews news)
    {
        if (news == CouncilNews.View) _membership.News();
        else _membership.NewsSoon();
    }

    // A silo without state only joins, under a seat of its own: only an operator gives birth to a cluster.
    private ICouncilStore? OpenStore()
    {
        if (_settings.Dev && _settings.DataDirectory is null) return new MemoryCouncilStore();
        if (_settings.DataDirectory is not { } directory) return null;
        if (!CouncilStore.Exists(directory))
        {
            if (!_settings.Init && !_settings.Dev)
            {
                if (_settings.Silos.Count > 1)
                {
                    LogJoinsOnly(directory);
                    return null;
                }
                throw new SiloStartException(
                    $"{directory} holds no cluster. If this is a new one: rum cluster init --data {directory} (or add --init). "
                    + "If the cluster exists already, its log is elsewhere: say where with --data.");
            }
            LogBorn(CouncilStore.Create(directory), directory);
        }
        return CouncilStore.Open(directory, message => LogStore(message));
    }

    /// <summary>Checks that this silo belongs to the cluster that it has joined, and makes its seat if it has a directory without one.</summary>
    private void Belong(ClusterView view)
    {
        if (_council.Here is { } here)
        {
            if (here.ClusterId == view.ClusterId && here.Generation == view.Generation) return;
            throw new SiloStartException(
                $"{_settings.DataDirectory} belongs to cluster {here.ClusterId}, generation {here.Generation}, but the silos of {_settings.MachinesPath} are cluster "
                + $"{view.ClusterId}, generation {view.Generation}. Nothing was changed. Start with an empty directory to join them, or name the right machines file.");
        }
        if (_settings.DataDirectory is not { } directory) return;
        CouncilStore.Enroll(directory, view.ClusterId, view.Generation);
        CouncilLeader seat = TakeSeat(CouncilStore.Open(directory, message => LogStore(message)));
        seat.OwnSilo = _self;
        seat.News = TellMembership;
        _council.Here = seat;
        _control.Seat(seat);
        LogSeat(directory, seat.Seat.ToString("x16"));
    }

    [LoggerMessage(10, LogLevel.Information, "{Directory} holds no cluster: this silo joins the one of the other silos, and then keeps a seat for the council there. If there is none yet: rum cluster init")]
    private partial void LogJoinsOnly(string directory);

    [LoggerMessage(11, LogLevel.Information, "{Directory} is seat {Seat}: this silo can be a council member")]
    private partial void LogSeat(string directory, string seat);
}
