using Microsoft.Win32.SafeHandles;
using Rum.Core;

namespace Rum.Silo.Storage;

/// <summary>
/// The council's durable log in a directory: <c>checkpoint</c> (the state as of a decree), <c>log</c> (the batches after it) and <c>lock</c>
/// (held while a process uses the directory). A batch is on the disk before <see cref="Append"/> returns. Owned by one thread.
/// </summary>
/// <remarks>
/// Both files are only ever replaced whole (write aside, fsync, rename, fsync of the directory). A crash between the two replacements of a checkpoint
/// leaves a log that starts before it: its older records are skipped. A torn last record was never acknowledged: it is cut off, and said so;
/// a damaged record with whole ones behind it is another thing, and refused.
/// </remarks>
public sealed partial class CouncilStore : ICouncilStore
{
    private const string LockName = "lock";
    private const string CheckpointName = "checkpoint";
    private const string LogName = "log";

    private readonly string _directory;
    private readonly FileStream _lock;
    private readonly List<StoredDecree> _batches = [];
    private SafeFileHandle _log;
    private long _logEnd;
    private byte[] _record = new byte[4096];
    private bool _failed;

    private CouncilStore(string directory, FileStream held)
    {
        _directory = directory;
        _lock = held;
        Checkpoint = new StoredDecree(0, []);
        _log = null!;
    }

    /// <inheritdoc/>
    public Guid ClusterId { get; private set; }

    /// <inheritdoc/>
    public uint Generation { get; private set; }

    /// <inheritdoc/>
    public ulong LastDecree { get; private set; }

    /// <inheritdoc/>
    public long LogBytes => _logEnd - StoreFormat.HeaderSize;

    /// <inheritdoc/>
    public StoredDecree Checkpoint { get; private set; }

    /// <inheritdoc/>
    public IReadOnlyList<StoredDecree> Batches => _batches;

    private string CheckpointPath => Path.Combine(_directory, CheckpointName);

    private string LogPath => Path.Combine(_directory, LogName);

    /// <inheritdoc/>
    public void Append(ulong decree, ReadOnlySpan<byte> batch)
    {
        Invariant.Check(decree == LastDecree + 1);
        Invariant.Check(batch.Length <= StoreFormat.MaxBatch);
        // After a failed write or fsync nobody knows what the disk holds: going on could acknowledge a decree that is not there.
        if (_failed) throw new CouncilStoreException($"{LogPath} failed before; restart the silo after mending the disk");
        int size = StoreFormat.RecordSize(batch.Length);
        if (_record.Length < size) _record = new byte[size];
        StoreFormat.WriteRecord(_record, decree, batch);
        try
        {
            RandomAccess.Write(_log, _record.AsSpan(0, size), _logEnd);
            DurableFile.SyncData(_log, LogPath);
        }
        catch (IOException e)
        {
            _failed = true;
            throw new CouncilStoreException($"decree {decree} could not be written to {LogPath}: {e.Message}", e);
        }
        _logEnd += size;
        LastDecree = decree;
    }

    /// <inheritdoc/>
    public void WriteCheckpoint(ReadOnlySpan<byte> state)
    {
        WriteFile(CheckpointPath, StoreFormat.CheckpointMagic, state);
        WriteFile(LogPath, StoreFormat.LogMagic, []);
        Checkpoint = new StoredDecree(LastDecree, []);
        _batches.Clear();
        SafeFileHandle old = _log;
        OpenLog();
        old.Dispose();
    }

    /// <summary>Forgets what was read at start (the state machine has it now).</summary>
    public void ReleaseReplay()
    {
        _batches.Clear();
        _batches.TrimExcess();
        Checkpoint = new StoredDecree(Checkpoint.Decree, []);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _log?.Dispose();
        _lock.Dispose();
    }

    private void WriteFile(string path, ReadOnlySpan<byte> magic, ReadOnlySpan<byte> body)
    {
        Span<byte> header = stackalloc byte[StoreFormat.HeaderSize];
        StoreFormat.WriteHeader(header, magic, new FileIdentity(ClusterId, Generation, LastDecree), body);
        DurableFile.Replace(path, header, body);
    }

    private void OpenLog()
    {
        try
        {
            _log = File.OpenHandle(LogPath, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CouncilStoreException($"{LogPath} can't be opened: {e.Message}", e);
        }
        _logEnd = RandomAccess.GetLength(_log);
    }
}
