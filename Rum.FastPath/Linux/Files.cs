using System.Runtime.InteropServices;

namespace Rum.FastPath.Linux;

/// <summary>What <c>stat(2)</c> says of a file; the first fields only, in a buffer of the whole size (144 bytes on x86-64).</summary>
[StructLayout(LayoutKind.Explicit, Size = 144)]
public struct stat_t
{
    [FieldOffset(24)]
    public uint st_mode;

    [FieldOffset(28)]
    public uint st_uid;
}

/// <summary>Calls on paths, under the C names.</summary>
public static unsafe partial class Files
{
    /// <summary>The bits of <see cref="stat_t.st_mode"/> that say what kind of file it is (S_IFMT).</summary>
    public const uint KindMask = 0xF000;

    /// <summary>S_IFDIR.</summary>
    public const uint KindDirectory = 0x4000;

    /// <summary>S_IFSOCK.</summary>
    public const uint KindSocket = 0xC000;

    /// <summary>Looks at the path itself, not through a symbolic link.</summary>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int lstat(string path, stat_t* to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int unlink(string path);
}
