using Microsoft.Win32.SafeHandles;
using Rum.Core;
using Rum.Core.Snapshots;
using Rum.FastPath.Server;
using Rum.Silo.Storage;

namespace Rum.Silo.Snapshots;

/// <summary>Writes a silo's file of a snapshot: under a temporary name, synced, then renamed, so that a file with the right name is whole. One task.</summary>
internal sealed class SnapshotWriter : IDisposable
{
    private readonly string _path, _temporary;
    private readonly SnapshotHeader _header;
    private readonly SafeFileHandle _file;
    private readonly byte[] _block = new byte[SnapshotFormat.Block + (SnapshotFormat.PagesPerBlock * Layout.PageSize)];
    private readonly List<SnapshotExtent> _extents = [];

    public SnapshotWriter(string path, SnapshotHeader header)
    {
        _path = path;
        _temporary = path + ".part";
        _header = header;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            _file = File.OpenHandle(_temporary, FileMode.Create, FileAccess.Write, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
        Append(SnapshotFormat.WriteHeader(header));
    }

    public long Bytes { get; private set; }

    public long Pages { get; private set; }

    /// <summary>Adds an extent.</summary>
    public void Add(CutExtent extent, CancellationToken stop)
    {
        ReadOnlySpan<ushort> pages = extent.Pages;
        uint blocks = 0;
        for (int first = 0; first < pages.Length; first += SnapshotFormat.PagesPerBlock, blocks++)
        {
            stop.ThrowIfCancellationRequested();
            int count = Math.Min(SnapshotFormat.PagesPerBlock, pages.Length - first);
            for (int i = 0; i < count; i++) extent.CopyTo(first + i, _block.AsSpan(SnapshotFormat.Block + (i * Layout.PageSize), Layout.PageSize));
            var about = new SnapshotBlock(_header.Snapshot, new SegmentId(extent.Segment), extent.Extent, new ShardId(extent.Shard), blocks);
            Append(_block.AsSpan(0, SnapshotFormat.SealBlock(_block, about, pages.Slice(first, count))));
        }
        if (blocks == 0) return;
        Pages += pages.Length;
        _extents.Add(new SnapshotExtent(new SegmentId(extent.Segment), extent.Extent, blocks));
    }

    /// <summary>The file is whole, and on the disk when this returns.</summary>
    public void Finish()
    {
        Append(SnapshotFormat.WriteFooter(_header.Snapshot, _extents));
        DurableFile.SyncData(_file, _temporary);
        _file.Dispose();
        File.Move(_temporary, _path, overwrite: true);
        DurableFile.SyncDirectory(Path.GetDirectoryName(_path)!);
    }

    /// <summary>Removes what was not finished.</summary>
    public void Dispose()
    {
        _file.Dispose();
        File.Delete(_temporary);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(_file, bytes, Bytes);
        Bytes += bytes.Length;
    }
}
