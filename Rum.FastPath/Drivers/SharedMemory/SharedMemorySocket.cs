using System.Runtime.InteropServices;
using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>What both ends do with their socket.</summary>
internal static unsafe class SharedMemorySocket
{
    private const int DrainBytes = 256;
    private const int DrainsMax = 16;

    /// <summary>
    /// Takes in wake-ups, without waiting; false: the other end is gone. Bounded, so that a peer that floods can't keep its reader here; what is
    /// left makes the descriptor readable again.
    /// </summary>
    public static bool Drain(int socket)
    {
        byte* bytes = stackalloc byte[DrainBytes];
        for (int i = 0; i < DrainsMax; i++)
        {
            nint got = Sockets.recv(socket, bytes, DrainBytes, Sockets.MSG_DONTWAIT);
            if (got == 0) return false;
            if (got < 0) return Marshal.GetLastPInvokeError() is Errno.EAGAIN or Errno.EINTR;
            if (got < DrainBytes) return true; // The end of the stream, if behind it, makes the descriptor readable again.
        }

        return true;
    }
}
