namespace Rum.FastPath.Server;

/// <content>Blocking: what the data thread waits for when there is nothing to do.</content>
public sealed partial class PageServer
{
    private const long WaitNsMin = 1_000_000;

    /// <summary>
    /// How long the data thread may block, nanoseconds: until a sign is due, or the age of a half-received write or of frames lent for nothing, and briefly where a learner or held answers have time-outs.
    /// <see cref="long.MaxValue"/>: nothing is due at all, only a frame or the mailbox gives it something to do. Owner's thread.
    /// </summary>
    public long WaitNs(long nowNs)
    {
        if (_learner.Active || _holding != 0) return WaitNsMin;
        long due = Math.Min(_signDueNs, _writes.DueNs);
        foreach (ServerPort port in _ports) due = Math.Min(due, port.LentUntilNs);
        return due == long.MaxValue ? due : Math.Max(WaitNsMin, due - nowNs);
    }

    /// <summary>Descriptors of all drivers and the mailbox; at most one more than there are drivers. -1: a driver must be polled, don't block.</summary>
    public int WaitDescriptors(Span<int> descriptors)
    {
        int count = 0;
        descriptors[count++] = _wake.Descriptor;
        foreach (ServerPort port in _ports)
        {
            if (port.Driver.WaitDescriptor < 0) return -1;
            descriptors[count++] = port.Driver.WaitDescriptor;
        }
        return count;
    }

    /// <summary>Announces blocking. False: there is something to do, don't block. Either way <see cref="FinishWait"/> follows.</summary>
    public bool PrepareWait()
    {
        bool idle = Volatile.Read(ref _queued) == 0;
        foreach (ServerPort port in _ports) idle &= port.Driver.PrepareWait() && port.TxEmpty && port.RxNext == port.RxCount && !port.HasPendingRead;
        return idle;
    }

    /// <summary>Ends the announcement. <paramref name="woken"/>: the first of <see cref="WaitDescriptors"/>, the mailbox's, was readable.</summary>
    public void FinishWait(bool woken)
    {
        if (woken) _wake.Clear();
        foreach (ServerPort port in _ports) port.Driver.FinishWait();
    }
}
