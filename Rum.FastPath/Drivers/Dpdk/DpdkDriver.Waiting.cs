using Rum.FastPath.Linux;
using Rum.FastPath.Memory;

namespace Rum.FastPath.Drivers.Dpdk;

/// <content>
/// Waiting. What the owner blocks on is one epoll descriptor, the same for the driver's life: in it are the queues' interrupts (which change whenever a vhost peer comes
/// back) or the kernel's sockets, and an event that says that the link has changed.
/// </content>
public sealed unsafe partial class DpdkDriver
{
    // An empty poll out of so many looks at the link, so that a peer that hung up is noticed without traffic. A power of two, less one.
    private const uint LinkPolls = 0xFFFF;

    private FileDescriptor? _epoll;
    private WakeEvent? _linkEvent;
    private int[] _watched = [];
    private uint _emptyPolls;
    private volatile bool _hungUp;

    /// <inheritdoc/>
    public int WaitDescriptor { get; private set; } = -1;

    /// <inheritdoc/>
    public bool Disconnected => _hungUp;

    /// <inheritdoc/>
    public bool PrepareWait()
    {
        if (_disposed) return true;
        if (WaitDescriptor >= 0)
        {
            // Invariant: cleared before interrupts are enabled, enabled before the queues are looked at: what comes afterwards makes the descriptor readable.
            if (_linkEvent!.Clear()) WatchQueues();
            ClearEdges();
            for (int queue = 0; queue < Port.Queues && Port.Interrupts; queue++) _ = NativeMethods.rum_dpdk_interrupt_enable(Port.Id, (ushort)queue);
        }
        CheckLink();
        return _heldCount == 0 && _next == _ready && Fetch(BurstMax) == 0;
    }

    /// <inheritdoc/>
    public void FinishWait()
    {
        if (_disposed || WaitDescriptor < 0) return;
        for (int queue = 0; queue < Port.Queues && Port.Interrupts; queue++) _ = NativeMethods.rum_dpdk_interrupt_disable(Port.Id, (ushort)queue);
    }

    private void OpenWait()
    {
        bool canWait = _options.Wait == DpdkWait.Adaptive && (Port.Interrupts || Port.KernelSockets.Count > 0);
        if (!canWait) return;
        _epoll = new FileDescriptor(Polling.epoll_create1(Polling.EPOLL_CLOEXEC), nameof(Polling.epoll_create1));
        _linkEvent = new WakeEvent();
        Watch(_linkEvent.Descriptor);
        _ = NativeMethods.rum_dpdk_watch_link(Port.Id, _linkEvent.Descriptor);
        WaitDescriptor = _epoll.Value;
        WatchQueues();
    }

    private void CloseWait()
    {
        if (_epoll is null) return;
        NativeMethods.rum_dpdk_unwatch_link(Port.Id, _linkEvent!.Descriptor);
        _epoll.Dispose();
        _linkEvent.Dispose();
        WaitDescriptor = -1;
    }

    private void WatchQueues()
    {
        foreach (int old in _watched) _ = Polling.epoll_ctl(_epoll!.Value, Polling.EPOLL_CTL_DEL, old, null);
        var now = new List<int>(Port.KernelSockets);
        for (int queue = 0; queue < Port.Queues && Port.Interrupts; queue++)
        {
            int descriptor = NativeMethods.rum_dpdk_interrupt_descriptor(Port.Id, (ushort)queue);
            if (descriptor >= 0) now.Add(descriptor);
        }
        foreach (int descriptor in now) Watch(descriptor);
        _watched = [.. now];
    }

    // By edges: what is behind an interrupt's descriptor may itself be an epoll descriptor (vhost's is) that nobody but DPDK can make unreadable.
    private void Watch(int descriptor)
    {
        var interest = new epoll_event { events = Polling.EPOLLIN | Polling.EPOLLET, data = (ulong)descriptor };
        _ = Polling.epoll_ctl(_epoll!.Value, Polling.EPOLL_CTL_ADD, descriptor, &interest);
    }

    private void ClearEdges()
    {
        const int Most = 8;
        epoll_event* seen = stackalloc epoll_event[Most];
        while (Polling.epoll_wait(_epoll!.Value, seen, Most, 0) == Most)
        {
        }
    }

    /// <summary>Whether the link is up. A connection to one peer that is down hung up for good.</summary>
    private bool CheckLink()
    {
        bool up = Port.LinkUp;
        if (!up && Port.PointToPoint) _hungUp = true;
        return up;
    }
}
