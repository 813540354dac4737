using System.Globalization;
using Rum.Core;
using Rum.Core.Configuration;
using Rum.Session;

namespace Rum.Native;

/// <summary>
/// The one runtime of librum.so in this process, shared by counting: the first user starts it, the last one ends it. All members may be called
/// from any thread; <see cref="Acquire"/> and <see cref="Release"/> block.
/// </summary>
internal sealed class NativeSession
{
    // A lost session is noticed by the next call at once; this is for programs that only wait. A quarter of the shortest lease.
    private const int WatchMs = 250;

    private static readonly Lock Gate = new();
    private static NativeSession? s_current;

    private readonly RumClientOptions _options;
    private readonly CancellationTokenSource _lost = new();
    private readonly Timer _watch;
    private int _users = 1;

    private NativeSession(RumClientOptions options)
    {
        _options = options;
        Waiters = new WaitThreads(options.WaitThreads);
        _watch = new Timer(static state => ((NativeSession)state!).Watch(), this, WatchMs, WatchMs);
    }

    /// <summary>Where blocking calls of asynchronous methods run.</summary>
    internal WaitThreads Waiters { get; }

    /// <summary>Cancelled when the silos ended the session.</summary>
    internal CancellationToken Lost => _lost.Token;

    /// <summary>Shares the session that is there, or starts one. RumConfigurationException when there is one with other settings.</summary>
    internal static NativeSession Acquire(RumClientOptions options)
    {
        string[] problems = [.. options.Problems()];
        if (problems.Length > 0) throw RumErrors.Create(RumError.BadConfiguration, string.Join(" ", problems));
        lock (Gate)
        {
            if (s_current is { } current)
            {
                if (current._options != options)
                {
                    throw RumErrors.Create(RumError.BadConfiguration,
                        $"This process has a RUM session with other settings ({current._options}); use the same, or dispose it first.");
                }

                if (current.Lost.IsCancellationRequested) throw RumErrors.Create(RumError.SessionExpired, "");
                current._users++;
                return current;
            }

            Connect(options);
            // A copy: whoever made the options may change them.
            return s_current = new NativeSession(options with { });
        }
    }

    /// <summary>One user less. The last one ends the session: named segments are flushed and closed, anonymous memory is freed.</summary>
    internal void Release()
    {
        lock (Gate)
        {
            if (--_users > 0) return;
            s_current = null;
            _watch.Dispose();
            int code = LibRum.rum_end();
            if (code is not (0 or (int)RumError.SessionExpired or (int)RumError.NotInitialized)) RumErrors.ThrowOnFailure(code);
        }
    }

    private static void Connect(RumClientOptions options)
    {
        Configure("RUM_COMMANDS", options.Commands);
        Configure("RUM_CACHE", options.CacheBytes?.ToString(CultureInfo.InvariantCulture));
        Configure("RUM_TRANSPORT", options.Transport switch { null => null, RumTransport.SharedMemory => "shm", RumTransport.Udp => "udp", RumTransport.Dpdk => "dpdk", _ => "auto" });
        Configure("RUM_DPDK", options.Dpdk);
        Configure("RUM_PAGER", options.Paging switch { null => null, RumPaging.Move => "move", RumPaging.Copy => "copy", _ => "auto" });
        Configure("RUM_FAULT", options.Faults switch { null => null, RumFaults.Inline => "inline", _ => "handler" });
        Configure("RUM_FAULT_TIMEOUT", Seconds(options.FaultTimeout));
        Configure("RUM_LEASE", Seconds(options.Lease));
        RumErrors.ThrowOnFailure(LibRum.rum_init(options.Machines));
    }

    private static void Configure(string name, string? value) => RumErrors.ThrowOnFailure(LibRum.rum_client_configure(name, value));

    /// <summary>0 stands for "for ever" in the environment.</summary>
    private static string? Seconds(TimeSpan? time) =>
        time is not { } t ? null : t == Timeout.InfiniteTimeSpan ? "0" : TimeSpanText.Format(t);

    private void Watch()
    {
        if (LibRum.rum_client_state() is (int)RumError.None or (int)RumError.NotInitialized) return;
        _watch.Change(Timeout.Infinite, Timeout.Infinite);
        _lost.Cancel();
    }
}
