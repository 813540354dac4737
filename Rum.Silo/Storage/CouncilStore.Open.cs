using Rum.Core;

namespace Rum.Silo.Storage;

/// <summary>Creating and opening a data directory.</summary>
public sealed partial class CouncilStore
{
    /// <summary>Whether a cluster was born in this directory.</summary>
    public static bool Exists(string directory) => File.Exists(Path.Combine(directory, CheckpointName)) || HoldsDecrees(directory);

    /// <summary>Gives birth to a cluster (<c>rum cluster init</c>). Throws <see cref="CouncilStoreException"/> when there is one already.</summary>
    public static Guid Create(string directory)
    {
        directory = Path.GetFullPath(directory);
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CouncilStoreException($"{directory} can't be made: {e.Message}", e);
        }
        using var store = new CouncilStore(directory, TakeLock(directory));
        if (Exists(directory))
        {
            throw new CouncilStoreException(
                $"{directory} holds a cluster already; a cluster is born once. To start anew, choose another directory (the old one's memory stays its own).");
        }
        store.ClusterId = Guid.NewGuid();
        store.Generation = 1;
        // The checkpoint comes last: until it is there, the directory holds no cluster that could be opened.
        store.WriteFile(store.LogPath, StoreFormat.LogMagic, []);
        store.WriteFile(store.CheckpointPath, StoreFormat.CheckpointMagic, []);
        return store.ClusterId;
    }

    /// <summary>
    /// Opens a directory and reads it whole. <paramref name="notice"/> gets a line for each thing that was mended. Throws
    /// <see cref="CouncilStoreException"/> when another process has it, or when a file is missing, foreign or damaged.
    /// </summary>
    public static CouncilStore Open(string directory, Action<string> notice)
    {
        directory = Path.GetFullPath(directory);
        if (!Exists(directory))
            throw new CouncilStoreException($"{directory} holds no cluster; make one with: rum cluster init --data {directory}");
        var store = new CouncilStore(directory, TakeLock(directory));
        try
        {
            store.ReadCheckpoint();
            store.ReadLog(notice);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    // An init that was cut short leaves an empty log without a checkpoint: that is no cluster yet.
    private static bool HoldsDecrees(string directory) =>
        new FileInfo(Path.Combine(directory, LogName)) is { Exists: true, Length: > StoreFormat.HeaderSize };

    private static FileStream TakeLock(string directory)
    {
        string path = Path.Combine(directory, LockName);
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CouncilStoreException($"{path} can't be locked: another silo uses this directory, or it isn't writable ({e.Message})", e);
        }
    }

    private void ReadCheckpoint()
    {
        byte[] file = ReadWhole(CheckpointPath);
        string? wrong = StoreFormat.ReadHeader(file, StoreFormat.CheckpointMagic, out FileIdentity identity, out long length, out uint crc);
        if (wrong is null && length != file.Length - StoreFormat.HeaderSize) wrong = "has another length than its header says";
        if (wrong is null && StoreFormat.Crc(0, file.AsSpan(StoreFormat.HeaderSize)) != crc) wrong = "is damaged (its checksum is wrong)";
        if (wrong is not null) throw Refuse(CheckpointPath, wrong);
        ClusterId = identity.ClusterId;
        Generation = identity.Generation;
        LastDecree = identity.Decree;
        Checkpoint = new StoredDecree(identity.Decree, file[StoreFormat.HeaderSize..]);
    }

    private void ReadLog(Action<string> notice)
    {
        byte[] file = ReadWhole(LogPath);
        string? wrong = StoreFormat.ReadHeader(file, StoreFormat.LogMagic, out FileIdentity identity, out _, out _);
        if (wrong is null && (identity.ClusterId != ClusterId || identity.Generation != Generation))
            wrong = $"belongs to cluster {identity.ClusterId} generation {identity.Generation}, the checkpoint to {ClusterId} generation {Generation}";
        if (wrong is null && identity.Decree > LastDecree) wrong = $"starts after decree {identity.Decree}, but the checkpoint ends with {LastDecree}";
        if (wrong is not null) throw Refuse(LogPath, wrong);

        ulong expected = identity.Decree + 1;
        int at = StoreFormat.HeaderSize;
        while (at < file.Length)
        {
            if (!StoreFormat.TryReadRecord(file.AsSpan(at), out ulong decree, out ReadOnlySpan<byte> batch)) break;
            if (decree != expected) throw Refuse(LogPath, $"has decree {decree} at byte {at} where {expected} was due");
            if (decree > LastDecree)
            {
                _batches.Add(new StoredDecree(decree, batch.ToArray()));
                LastDecree = decree;
            }
            at += StoreFormat.RecordSize(batch.Length);
            expected++;
        }
        OpenLog();
        if (at < file.Length) CutTail(file, at, expected, notice);
        if (identity.Decree < Checkpoint.Decree && _batches.Count == 0) StartLogAtCheckpoint();
    }

    private void CutTail(ReadOnlySpan<byte> file, int at, ulong expected, Action<string> notice)
    {
        for (int later = at + 8; later <= file.Length - StoreFormat.RecordHeaderSize; later += 8)
        {
            if (StoreFormat.TryReadRecord(file[later..], out ulong decree, out _) && decree > expected)
                throw Refuse(LogPath, $"is damaged at byte {at} (decree {expected}), with whole records behind it (decree {decree} at byte {later})");
        }
        notice($"{LogPath}: the last record is torn ({file.Length - at} bytes from byte {at}); it was never acknowledged, so it is cut off. The log ends with decree {expected - 1}.");
        RandomAccess.SetLength(_log, at);
        DurableFile.SyncData(_log, LogPath);
        _logEnd = at;
    }

    // A crash between the two replacements of a checkpoint left the old log: all of it is in the checkpoint.
    private void StartLogAtCheckpoint()
    {
        WriteFile(LogPath, StoreFormat.LogMagic, []);
        _log.Dispose();
        OpenLog();
    }

    private byte[] ReadWhole(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (FileNotFoundException e)
        {
            throw new CouncilStoreException($"{path} is missing: the directory is not whole; put back a copy of all of its files", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CouncilStoreException($"{path} can't be read: {e.Message}", e);
        }
    }

    private static CouncilStoreException Refuse(string path, string wrong) =>
        new($"{path} {wrong}. Nothing was changed. Put back a copy of the directory, or start a new cluster in an empty one.");
}
