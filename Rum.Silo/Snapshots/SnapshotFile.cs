using Microsoft.Win32.SafeHandles;
using Rum.Core;
using Rum.Core.Snapshots;
using Rum.Core.Wire;

namespace Rum.Silo.Snapshots;

/// <summary>A silo's file of a snapshot, read once from its front to its end. Damage is stepped over. One task.</summary>
public sealed class SnapshotFile : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly byte[] _buffer = new byte[SnapshotFormat.Block + (SnapshotFormat.PagesPerBlock * Layout.PageSize)];
    private readonly ushort[] _pages = new ushort[SnapshotFormat.PagesPerBlock];

    private SnapshotFile(string path, SafeFileHandle file, SnapshotHeader header, long start)
    {
        (Path, _file, Header) = (path, file, header);
        Length = RandomAccess.GetLength(file);
        Position = start;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>What it says of itself.</summary>
    public SnapshotHeader Header { get; }

    /// <summary>Its bytes.</summary>
    public long Length { get; }

    /// <summary>How far it was read.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes that were stepped over, damaged.</summary>
    public long Damaged { get; private set; }

    /// <summary>What is in it, by its footer; null before that was reached, or where it is damaged.</summary>
    public IReadOnlyList<SnapshotExtent>? Extents { get; private set; }

    /// <summary>The block that <see cref="Next"/> found.</summary>
    public SnapshotBlock Current { get; private set; }

    /// <summary>Its pages.</summary>
    public ReadOnlySpan<ushort> Pages => _pages.AsSpan(0, Current.Count);

    /// <summary>The image of one of them.</summary>
    public ReadOnlySpan<byte> Image(int index) => _buffer.AsSpan(SnapshotFormat.Block + (index * Layout.PageSize), Layout.PageSize);

    /// <summary>Opens a file; null and what is wrong with it.</summary>
    public static SnapshotFile? Open(string path, out string wrong)
    {
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path);
            byte[] front = new byte[SnapshotFormat.Block];
            int read = ReadFully(file, front, 0);
            int length = SnapshotFormat.HeaderLength(front.AsSpan(0, read), out wrong);
            if (length > 0)
            {
                byte[] header = new byte[length];
                read = ReadFully(file, header, 0);
                if (SnapshotFormat.ReadHeader(header.AsSpan(0, read), out wrong) is { } found) return new SnapshotFile(path, file, found, length);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            wrong = $"can't be read: {e.Message}";
        }
        file?.Dispose();
        return null;
    }

    /// <summary>The next whole block; false: there is none left. Throws <see cref="IOException"/> where the disk doesn't give its bytes.</summary>
    public bool Next()
    {
        while (Position + SnapshotFormat.Block <= Length)
        {
            Span<byte> page = _buffer.AsSpan(0, SnapshotFormat.Block);
            if (ReadFully(_file, page, Position) < page.Length) break;
            if (SnapshotFormat.TryReadBlock(page, out SnapshotBlock about, _pages) && about.Snapshot == Header.Snapshot)
            {
                Span<byte> images = _buffer.AsSpan(SnapshotFormat.Block, about.Count * Layout.PageSize);
                int read = ReadFully(_file, images, Position + SnapshotFormat.Block);
                Position += SnapshotFormat.Block + read;
                if (read == images.Length && Checksum.Crc(0, images) == about.ImagesCrc)
                {
                    Current = about;
                    return true;
                }
                // The page of the block was right, so the length was: what follows stands behind.
                Damaged += SnapshotFormat.Block + read;
                continue;
            }
            if (SnapshotFormat.IsFooter(page))
            {
                byte[] footer = new byte[Math.Min(Length - Position, SnapshotFormat.BodyBytesMax)];
                ReadFully(_file, footer, Position);
                Extents = SnapshotFormat.ReadFooter(footer, Header.Snapshot);
                Position = Length;
                if (Extents is null) Damaged += footer.Length;
                return false;
            }
            Damaged += SnapshotFormat.Block;
            Position += SnapshotFormat.Block;
        }
        Position = Length;
        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static int ReadFully(SafeFileHandle file, Span<byte> to, long at)
    {
        int done = 0;
        while (done < to.Length)
        {
            int read = RandomAccess.Read(file, to[done..], at + done);
            if (read == 0) break;
            done += read;
        }
        return done;
    }
}
