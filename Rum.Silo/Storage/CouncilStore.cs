using Microsoft.Win32.SafeHandles;
using Rum.Core;
using Rum.Core.Paxos;
using Rum.Core.Wire;

namespace Rum.Silo.Storage;

/// <summary>
/// A seat's durable log in a directory: <c>checkpoint</c> (the state as of a decree), <c>log</c> (what was promised and accepted since) and <c>lock</c>
/// (held while a process uses the directory). Records are on the disk before <see cref="Append"/> returns. Owned by one thread.
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
    private SafeFileHandle _log;
    private long _logEnd;
    private ulong _sequence;
    private byte[] _record = new byte[4096];
    private bool _failed;

    private CouncilStore(string directory, FileStream held)
    {
        _directory = directory;
        _lock = held;
        _log = null!;
    }

    /// <inheritdoc/>
    public Guid ClusterId { get; private set; }

    /// <inheritdoc/>
    public uint Generation { get; private set; }

    /// <inheritdoc/>
    public ulong Seat { get; private set; }

    /// <inheritdoc/>
    public ulong Start { get; private set; }

    /// <inheritdoc/>
    public PaxosDisk Found { get; private set; } = new(0, null, []);

    /// <inheritdoc/>
    public long LogBytes => _logEnd - StoreFormat.HeaderSize;

    private string CheckpointPath => Path.Combine(_directory, CheckpointName);

    private string LogPath => Path.Combine(_directory, LogName);

    /// <inheritdoc/>
    public void Append(IReadOnlyList<PaxosRecord> records)
    {
        Invariant.Check(records.Count > 0);
        // After a failed write or fsync nobody knows what the disk holds: going on could vote for what is not there.
        if (_failed) throw new CouncilStoreException($"{LogPath} failed before; restart the silo after mending the disk");
        int size = Lay(_sequence + 1, records);
        try
        {
            RandomAccess.Write(_log, _record.AsSpan(0, size), _logEnd);
            DurableFile.SyncData(_log, LogPath);
        }
        catch (IOException e)
        {
            _failed = true;
            throw new CouncilStoreException($"the council's log {LogPath} can't be written: {e.Message}", e);
        }
        _logEnd += size;
        _sequence++;
    }

    /// <inheritdoc/>
    public void Replace(ulong decree, ReadOnlySpan<byte> state, IReadOnlyList<PaxosRecord> remainder)
    {
        WriteFile(CheckpointPath, StoreFormat.CheckpointMagic, decree, state, []);
        StartLog(decree, remainder);
        Found = new PaxosDisk(decree, null, []);
    }

    // The log that begins with what must be kept; the old one until it is whole.
    private void StartLog(ulong decree, IReadOnlyList<PaxosRecord> remainder)
    {
        int size = Lay(1, remainder);
        WriteFile(LogPath, StoreFormat.LogMagic, decree, [], _record.AsSpan(0, size));
        SafeFileHandle? old = _log;
        OpenLog();
        _sequence = 1;
        old?.Dispose();
    }

    // One append is one record with one checksum: after a crash it is there whole or not at all. Each says how often the store was opened.
    private int Lay(ulong sequence, IReadOnlyList<PaxosRecord> records)
    {
        while (true)
        {
            var to = new SpanWriter(_record.AsSpan(StoreFormat.RecordHeaderSize));
            to.U64(Start);
            to.U32((uint)records.Count);
            foreach (PaxosRecord record in records) PaxosCodec.Write(ref to, record);
            int size = StoreFormat.RecordSize(to.Length);
            if (!to.Overflowed && size <= _record.Length)
            {
                StoreFormat.SealRecord(_record, sequence, to.Length);
                return size;
            }
            _record = new byte[checked(_record.Length * 2)];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _log?.Dispose();
        _lock.Dispose();
    }

    private void WriteFile(string path, ReadOnlySpan<byte> magic, ulong decree, ReadOnlySpan<byte> body, ReadOnlySpan<byte> records)
    {
        Span<byte> header = stackalloc byte[StoreFormat.HeaderSize];
        StoreFormat.WriteHeader(header, magic, new FileIdentity(ClusterId, Generation, decree, Seat), body);
        DurableFile.Replace(path, header, body.Length > 0 ? body : records);
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
