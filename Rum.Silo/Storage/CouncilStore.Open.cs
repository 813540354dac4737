using System.Security.Cryptography;
using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Paxos;
using Rum.Core.Wire;
using Rum.Silo.Council;

namespace Rum.Silo.Storage;

/// <summary>Creating and opening a data directory.</summary>
public sealed partial class CouncilStore
{
    /// <summary>Whether a cluster was born in this directory.</summary>
    public static bool Exists(string directory) => File.Exists(Path.Combine(directory, CheckpointName)) || HoldsDecrees(directory);

    /// <summary>
    /// Gives birth to a cluster (<c>rum cluster init</c>) whose segments have so many copies unless they ask otherwise, and that spreads them over so many shards for good.
    /// Throws <see cref="CouncilStoreException"/> when there is one already.
    /// </summary>
    public static Guid Create(string directory, byte copies = 1, int shards = Layout.DefaultShardCount)
    {
        directory = Path.GetFullPath(directory);
        MakeDirectory(directory);
        using var store = new CouncilStore(directory, TakeLock(directory));
        if (Exists(directory))
        {
            throw new CouncilStoreException(
                $"{directory} holds a cluster already; a cluster is born once. To start anew, choose another directory (the old one's memory stays its own).");
        }
        store.ClusterId = Guid.NewGuid();
        store.Seat = DrawSeat();
        store.Make(1, Newborn(store.ClusterId, 1, store.Seat, copies, shards));
        return store.ClusterId;
    }

    /// <summary>Makes a seat that has learned nothing yet, of a cluster that there is: what a silo without state does when it has joined.</summary>
    public static void Enroll(string directory, Guid cluster, uint generation)
    {
        directory = Path.GetFullPath(directory);
        MakeDirectory(directory);
        using var store = new CouncilStore(directory, TakeLock(directory));
        if (Exists(directory)) throw new CouncilStoreException($"{directory} holds a cluster already.");
        store.ClusterId = cluster;
        store.Seat = DrawSeat();
        store.Make(generation, []);
    }

    /// <summary>
    /// Makes the seat in this directory the only one of a new cluster generation, from what its disk knows (<c>rum recover --accept-loss</c>). What the lost seats had decided and this
    /// one never heard of is lost. Throws <see cref="CouncilStoreException"/>, also when the cluster is not the one named.
    /// </summary>
    /// <returns>The new generation and the last decree that is kept.</returns>
    public static (uint Generation, ulong Decree) Recover(string directory, Guid cluster, Action<string> notice)
    {
        using CouncilStore store = Open(directory, notice);
        if (store.ClusterId != cluster) throw new CouncilStoreException($"{directory} belongs to cluster {store.ClusterId}, not to {cluster}. Nothing was changed.");
        if (store.Found.State is not { } state) throw new CouncilStoreException($"{directory} is a seat that has learned nothing yet: there is nothing in it to recover from.");
        if (!CouncilSnapshot.TryDecode(state, out CouncilMachine? machine)) throw Refuse(store.CheckpointPath, "is whole, but this build can't read its state");
        // The last decree may not have been decided; keeping it loses less than dropping it, and nobody is left who could know.
        foreach (AcceptRecord accept in store.Found.Records.OfType<AcceptRecord>().Where(a => a.Decree > store.Found.Decree).GroupBy(a => a.Decree, (_, all) => all.Last()))
        {
            foreach (Proposal proposal in BatchCodec.Decode(accept.Value) ?? throw Refuse(store.LogPath, $"has a decree {accept.Decree} that this build can't read"))
                machine.Apply(accept.Decree, proposal);
        }
        machine.Refound(store.Seat);
        store.Generation = machine.Generation;
        store.WriteFile(store.CheckpointPath, StoreFormat.CheckpointMagic, machine.Decree, CouncilSnapshot.Encode(machine), []);
        store.StartLog(machine.Decree, [.. store.Found.Records.OfType<PromiseRecord>()]);
        return (machine.Generation, machine.Decree);
    }

    /// <summary>The state of a newborn cluster whose council is one seat.</summary>
    public static byte[] Newborn(Guid cluster, uint generation, ulong seat, byte copies = 1, int shards = Layout.DefaultShardCount)
    {
        var machine = new CouncilMachine(cluster, generation, shards);
        machine.Found(seat);
        machine.Apply(0, default, new Configure(copies));
        return CouncilSnapshot.Encode(machine);
    }

    /// <summary>A seat's number, unlike any other.</summary>
    public static ulong DrawSeat()
    {
        ulong drawn;
        do drawn = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        while (drawn == 0);
        return drawn;
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

    // The checkpoint comes last: until it is there, the directory holds no seat that could be opened.
    private void Make(uint generation, byte[] state)
    {
        Generation = generation;
        StartLog(0, []);
        WriteFile(CheckpointPath, StoreFormat.CheckpointMagic, 0, state, []);
    }

    private static void MakeDirectory(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CouncilStoreException($"{directory} can't be made: {e.Message}", e);
        }
    }

    // An init that was cut short leaves an empty log without a checkpoint: that is no cluster yet.
    private static bool HoldsDecrees(string directory) =>
        new FileInfo(Path.Combine(directory, LogName)) is { Exists: true, Length: > StoreFormat.HeaderSize + LogAtBirth };

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

    // One record, with no start counted and nothing in it.
    private const int LogAtBirth = StoreFormat.RecordHeaderSize + 16;

    private void ReadCheckpoint()
    {
        byte[] file = ReadWhole(CheckpointPath);
        string? wrong = StoreFormat.ReadHeader(file, StoreFormat.CheckpointMagic, out FileIdentity identity, out long length, out uint crc);
        if (wrong is null && length != file.Length - StoreFormat.HeaderSize) wrong = "has another length than its header says";
        if (wrong is null && StoreFormat.Crc(0, file.AsSpan(StoreFormat.HeaderSize)) != crc) wrong = "is damaged (its checksum is wrong)";
        if (wrong is not null) throw Refuse(CheckpointPath, wrong);
        ClusterId = identity.ClusterId;
        Generation = identity.Generation;
        Seat = identity.Seat;
        Found = new PaxosDisk(identity.Decree, length == 0 ? null : file[StoreFormat.HeaderSize..], []);
    }

    private void ReadLog(Action<string> notice)
    {
        byte[] file = ReadWhole(LogPath);
        string? wrong = StoreFormat.ReadHeader(file, StoreFormat.LogMagic, out FileIdentity identity, out _, out _);
        // A recovery replaces the checkpoint first: cut short behind that, it has everything it needs in there.
        bool recovered = wrong is null && identity.ClusterId == ClusterId && identity.Seat == Seat && identity.Generation + 1 == Generation && identity.Decree <= Found.Decree;
        if (wrong is null && !recovered && (identity.ClusterId != ClusterId || identity.Generation != Generation || identity.Seat != Seat))
        {
            wrong = $"belongs to cluster {identity.ClusterId} generation {identity.Generation} seat {identity.Seat:x16}, "
                + $"the checkpoint to {ClusterId} generation {Generation} seat {Seat:x16}";
        }
        if (wrong is null && identity.Decree > Found.Decree) wrong = $"starts after decree {identity.Decree}, but the checkpoint ends with {Found.Decree}";
        if (wrong is not null) throw Refuse(LogPath, wrong);

        var records = new List<PaxosRecord>();
        int at = StoreFormat.HeaderSize;
        while (at < file.Length && StoreFormat.TryReadRecord(file.AsSpan(at), out ulong number, out ReadOnlySpan<byte> bytes))
        {
            if (number != _sequence + 1) throw Refuse(LogPath, $"has record {number} at byte {at} where {_sequence + 1} was due");
            if (!ReadRecords(bytes, records)) throw Refuse(LogPath, $"has a record at byte {at} that is whole, but that this build can't read");
            _sequence = number;
            at += StoreFormat.RecordSize(bytes.Length);
        }
        if (recovered)
        {
            notice($"{LogPath}: the recovery that began generation {Generation} was cut short behind its checkpoint; it is completed now.");
            records.RemoveAll(static record => record is not PromiseRecord);
            StartLog(Found.Decree, records);
        }
        else
        {
            OpenLog();
            if (at < file.Length) CutTail(file, at, notice);
        }
        ulong decree = Found.Decree;
        foreach (AcceptRecord accept in records.OfType<AcceptRecord>())
        {
            if (accept.Decree > decree + 1) throw Refuse(LogPath, $"has decree {accept.Decree} behind decree {decree}: one is missing");
            decree = Math.Max(decree, accept.Decree);
        }
        Found = Found with { Records = records };
        // Counted before anybody hears of this start.
        Start++;
        Append([new PromiseRecord(default)]);
    }

    private bool ReadRecords(ReadOnlySpan<byte> bytes, List<PaxosRecord> records)
    {
        var from = new SpanReader(bytes);
        Start = Math.Max(Start, from.U64());
        int count = from.Count(1);
        for (int i = 0; i < count && !from.Failed; i++)
        {
            if (PaxosCodec.ReadRecord(ref from) is { } record) records.Add(record);
        }
        return !from.Failed && from.Remaining == 0;
    }

    private void CutTail(ReadOnlySpan<byte> file, int at, Action<string> notice)
    {
        for (int later = at + 8; later <= file.Length - StoreFormat.RecordHeaderSize; later += 8)
        {
            if (StoreFormat.TryReadRecord(file[later..], out ulong number, out _) && number > _sequence + 1)
                throw Refuse(LogPath, $"is damaged at byte {at} (record {_sequence + 1}), with whole records behind it (record {number} at byte {later})");
        }
        notice($"{LogPath}: the last record is torn ({file.Length - at} bytes from byte {at}); nobody was told of it, so it is cut off. The log ends with record {_sequence}.");
        RandomAccess.SetLength(_log, at);
        DurableFile.SyncData(_log, LogPath);
        _logEnd = at;
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
