using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Rum.Core;

namespace Rum.Silo.Storage;

/// <summary>The three steps of a durable file that the base library lacks or does more dearly: fdatasync, fsync of a directory, atomic replacement.</summary>
internal static class DurableFile
{
    private const int OpenReadOnly = 0;
    private const int OpenDirectory = 0x10000;
    private const int OpenCloseOnExec = 0x80000;

    /// <summary>Returns when the file's bytes and length are on the disk.</summary>
    public static void SyncData(SafeFileHandle file, string path)
    {
        if (fdatasync(file) != 0) throw Failed("fdatasync", path);
    }

    /// <summary>Returns when the directory's entries are on the disk.</summary>
    public static void SyncDirectory(string path)
    {
        int descriptor = open(path, OpenReadOnly | OpenDirectory | OpenCloseOnExec);
        if (descriptor < 0) throw Failed("open", path);
        int synced = fsync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        Invariant.Check(close(descriptor) == 0);
        if (synced != 0) throw new CouncilStoreException($"fsync of {path} failed: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <summary>
    /// Puts a file in place of another (or of none): after a crash there is the old one whole or the new one whole. Throws <see cref="CouncilStoreException"/>.
    /// </summary>
    public static void Replace(string path, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        string temporary = path + ".new";
        try
        {
            using (SafeFileHandle file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                RandomAccess.Write(file, head, 0);
                RandomAccess.Write(file, body, head.Length);
                SyncData(file, temporary);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is (IOException or UnauthorizedAccessException) and not CouncilStoreException)
        {
            throw new CouncilStoreException($"{path} can't be written: {e.Message}", e);
        }
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    private static CouncilStoreException Failed(string call, string path) =>
        new($"{call} of {path} failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

#pragma warning disable SYSLIB1054 // LibraryImport would need unsafe code in this room
    [DllImport("libc", SetLastError = true)]
    private static extern int fdatasync(SafeFileHandle file);

    [DllImport("libc", SetLastError = true)]
    private static extern int fsync(int file);

    [DllImport("libc", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int close(int file);
#pragma warning restore SYSLIB1054
}
