using Rum.FastPath.Drivers;
using Rum.FastPath.Frames;

namespace Rum.FastPath.Server;

/// <summary>Control messages of which some fragments are here: a few, because control traffic is rare. The oldest gives way.</summary>
internal sealed unsafe class ControlAssemblies
{
    private const int EntriesMax = 32;

    private readonly MessageAssembly[] _entries = new MessageAssembly[EntriesMax];
    private readonly PeerAddress[] _peers = new PeerAddress[EntriesMax];
    private readonly long[] _sinceNs = new long[EntriesMax];

    public ControlAssemblies()
    {
        for (int i = 0; i < EntriesMax; i++) _entries[i] = new MessageAssembly();
    }

    /// <summary>Takes in a fragment; returns the message when it is whole, else null.</summary>
    public byte[]? Add(in RxFrame frame, long nowNs, ref long dropped)
    {
        var header = (FrameHeader*)frame.Header;
        if (header->FragmentCount == 1) return MessageAssembly.Single(header, frame.Payload);
        int use = 0;
        for (int i = 0; i < EntriesMax; i++)
        {
            if (_entries[i].Active && _peers[i] == frame.Peer && _entries[i].Session == header->Session && _entries[i].Slot == header->Slot)
            {
                use = i;
                break;
            }
            if (_entries[use].Active && (!_entries[i].Active || _sinceNs[i] < _sinceNs[use])) use = i;
            if (i == EntriesMax - 1 && _entries[use].Active)
            {
                _entries[use].Reset();
                dropped++;
            }
        }
        _peers[use] = frame.Peer;
        _sinceNs[use] = nowNs;
        return _entries[use].Add(header, frame.Payload);
    }
}
