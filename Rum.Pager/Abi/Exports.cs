using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Pager.Heap;
using Rum.Pager.Session;

namespace Rum.Pager.Abi;

/// <summary>
/// The managed entry points behind include/rum.h; the exported C functions are in Native/librum.c. No exception leaves: it becomes the thread's last
/// error, and a code or NULL.
/// </summary>
internal static unsafe partial class Exports
{
    private static readonly Lock Starting = new();
    private static volatile RumRuntime? s_runtime;

    private static RumRuntime Runtime =>
        s_runtime ?? throw new RumException(RumError.NotInitialized, "RUM is not in use: call rum_init first (and nothing after rum_end).");

    /// <summary>The thread's cache and error block.</summary>
    [UnmanagedCallersOnly(EntryPoint = "rum_managed_thread")]
    private static nint Thread() => RemoteHeap.ThreadBlock();

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_init")]
    private static int Init(byte* machines, long* layout)
    {
        try
        {
            CheckLayout(layout);
            lock (Starting)
            {
                if (s_runtime is not null) throw new RumException(RumError.AlreadyInitialized, "rum_init was called already; call rum_end before calling it again.");
                s_runtime = RumRuntime.Start(machines == null ? null : Marshal.PtrToStringUTF8((nint)machines));
            }
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_end")]
    private static int End()
    {
        try
        {
            lock (Starting)
            {
                RumRuntime runtime = Runtime;
                s_runtime = null;
                runtime.End();
            }
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_exit")]
    private static void Exit()
    {
        try
        {
            RumRuntime? runtime = s_runtime;
            s_runtime = null;
            runtime?.EndAtExit();
        }
        catch (Exception failure)
        {
            Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_stats")]
    private static nuint Statistics(byte* buffer, nuint length, int json)
    {
        try
        {
            return CopyText(Runtime.Describe(json != 0), buffer, length);
        }
        catch (Exception failure)
        {
            Fail(failure);
            if (length > 0) *buffer = 0;
            return 0;
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_error_name")]
    private static nint ErrorName(int code) => ErrorNames.Of(code);

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_key")]
    private static void Key(byte* name, byte* key)
    {
        try
        {
            string text = Marshal.PtrToStringUTF8((nint)name) ?? "";
            if (text.Length == 0) throw new RumException(RumError.InvalidArgument, "the name of a segment is empty.");
            WriteKey(SegmentKey.FromName(text), key);
        }
        catch (Exception failure)
        {
            Fail(failure);
        }
    }

    /// <summary>Keeps the failure as the thread's last error and returns its code.</summary>
    private static int Fail(Exception failure)
    {
        (RumError error, string words) = failure switch
        {
            RumException known => (known.Error, known.Message),
            OutOfMemoryException => (RumError.Internal, $"this process is out of local memory: {failure.Message}"),
            _ => (RumError.Internal, $"a defect in RUM, please report it: {failure}"),
        };
        RemoteHeap.SetThreadError(error, words);
        return (int)error;
    }

    private static nuint CopyText(string text, byte* buffer, nuint length)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(text);
        if (length > 0)
        {
            int copied = (int)nuint.Min((nuint)bytes.Length, length - 1);
            bytes.AsSpan(0, copied).CopyTo(new Span<byte>(buffer, copied));
            buffer[copied] = 0;
        }
        return (nuint)bytes.Length;
    }

    private static void CheckLayout(long* layout)
    {
        ReadOnlySpan<long> own = RemoteHeap.SharedLayout;
        for (int i = 0; i < own.Length; i++) Invariant.Check(layout[i] == own[i], $"entry {i} of the shared layout is {own[i]} here and {layout[i]} in Native/shared.h");
    }
}
