namespace Rum.FastPath.Server;

/// <content>Blocking: what the data thread waits for when there is nothing to do.</content>
public sealed partial class PageServer
{
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

    /// <summary>Ends the announcement.</summary>
    public void FinishWait()
    {
        _wake.Clear();
        foreach (ServerPort port in _ports) port.Driver.FinishWait();
    }
}
