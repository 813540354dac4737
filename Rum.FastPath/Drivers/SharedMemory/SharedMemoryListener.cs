using Rum.FastPath.Linux;

namespace Rum.FastPath.Drivers.SharedMemory;

/// <summary>
/// A silo's Unix socket. Its directory belongs to this user alone (0700); a lock beside the socket says who owns the path, so that a socket left by
/// a silo that died is replaced and one in use never is.
/// </summary>
public sealed unsafe class SharedMemoryListener : IDisposable
{
    private const int Backlog = 64;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _lock;
    private readonly FileDescriptor _socket;

    /// <summary>Listens at a path. Throws <see cref="IOException"/> saying whose the path is, if not ours.</summary>
    public SharedMemoryListener(string path)
    {
        Path = System.IO.Path.GetFullPath(path);
        uint length = UnixSocket.WriteAddress(Path, out sockaddr_un name);
        ClaimDirectory(System.IO.Path.GetDirectoryName(Path)!);
        _lock = TakeLock(Path);
        try
        {
            RemoveStale(Path);
            _socket = new FileDescriptor(
                Sockets.socket(Sockets.AF_UNIX, Sockets.SOCK_STREAM | Sockets.SOCK_NONBLOCK | Sockets.SOCK_CLOEXEC, 0), nameof(Sockets.socket));
            ErrnoException.Check(Sockets.bind(_socket.Value, &name, length), nameof(Sockets.bind), Path);
            ErrnoException.Check(Sockets.listen(_socket.Value, Backlog), nameof(Sockets.listen), Path);
        }
        catch
        {
            _socket?.Dispose();
            _lock.Dispose();
            throw;
        }
    }

    /// <summary>The socket's path.</summary>
    public string Path { get; }

    /// <summary>The listening socket.</summary>
    internal int Descriptor => _socket.Value;

    /// <summary>Takes one connection, without waiting; -1 when there is none. A refusal is counted by the caller.</summary>
    internal int Accept(out bool refused)
    {
        refused = false;
        int accepted = Sockets.accept4(_socket.Value, null, null, Sockets.SOCK_NONBLOCK | Sockets.SOCK_CLOEXEC);
        if (accepted < 0 || MayConnect(accepted)) return accepted;
        Descriptors.close(accepted);
        refused = true;
        return -1;
    }

    /// <summary>Only processes of the same user or of root may share memory with this one.</summary>
    internal static bool MayConnect(int socket)
    {
        uint peer = UnixSocket.PeerUser(socket);
        return peer == 0 || peer == Descriptors.geteuid();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_socket.IsClosed) return;
        _ = Files.unlink(Path); // While the lock is held: nobody else's socket can be there.
        _socket.Dispose();
        _lock.Dispose();
    }

    private static void ClaimDirectory(string directory)
    {
        if (!Directory.Exists(directory)) Directory.CreateDirectory(directory, OwnerOnly);
        stat_t found;
        ErrnoException.Check(Files.lstat(directory, &found), nameof(Files.lstat), directory);
        if ((found.st_mode & Files.KindMask) != Files.KindDirectory) throw new IOException($"{directory} is not a directory; the silo's socket needs one of its own.");
        if (found.st_uid != Descriptors.geteuid())
            throw new IOException($"{directory} belongs to user {found.st_uid}, not to this silo's user {Descriptors.geteuid()}; choose another directory for the socket.");
        if ((found.st_mode & 0x3F) != 0) throw new IOException($"{directory} is open to other users; the silo's socket needs a private directory: chmod 700 {directory}");
    }

    private static FileStream TakeLock(string path)
    {
        try
        {
            return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException))
        {
            throw new IOException($"Another silo serves {path} (its lock is held).", e);
        }
    }

    private static void RemoveStale(string path)
    {
        stat_t found;
        if (Files.lstat(path, &found) != 0) return;
        if ((found.st_mode & Files.KindMask) != Files.KindSocket) throw new IOException($"{path} exists and is not a socket; it is left alone.");
        ErrnoException.Check(Files.unlink(path), nameof(Files.unlink), path);
    }
}
