using System.Runtime.InteropServices;
using Rum.Core;
using Rum.Core.Council;
using Rum.Pager.Heap;
using Rum.Pager.Session;

namespace Rum.Pager.Abi;

// What the .NET API needs beyond rum.h. Not part of the C ABI: its other end is Rum.Client/Native, built with it.
internal static unsafe partial class Exports
{
    [UnmanagedCallersOnly(EntryPoint = "rum_client_configure")]
    private static int Configure(byte* name, byte* value)
    {
        try
        {
            ClientOverrides.Set(Marshal.PtrToStringUTF8((nint)name)!, Marshal.PtrToStringUTF8((nint)value));
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_state")]
    private static int State() => (int)(s_runtime is not { } runtime ? RumError.NotInitialized : runtime.Expired ? RumError.SessionExpired : RumError.None);

    [UnmanagedCallersOnly(EntryPoint = "rum_client_allocate")]
    private static int ClientAllocate(ClientAllocation* request, ClientSegment* segment)
    {
        try
        {
            RumRuntime runtime = Runtime;
            nint address = runtime.AllocateSegment(
                (nuint)request->Bytes, new UInt128(request->KeyHigh, request->KeyLow), request->Silos(), FlagsOf((uint)request->Flags),
                (int)(((uint)request->Flags & CopiesMask) >> CopiesShift));
            *segment = Describe(runtime.Segment(address));
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_open")]
    private static int ClientOpen(ulong keyHigh, ulong keyLow, int write, ClientSegment* segment)
    {
        try
        {
            RumRuntime runtime = Runtime;
            nint address = runtime.OpenSegment(new UInt128(keyHigh, keyLow), write != 0 ? OpenMode.Write : OpenMode.Read, out _);
            *segment = Describe(runtime.Segment(address));
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_delete")]
    private static int ClientDelete(ulong keyHigh, ulong keyLow)
    {
        try
        {
            Runtime.FreeKey(0, new UInt128(keyHigh, keyLow));
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_resize")]
    private static int ClientResize(nint address, long bytes, ClientSegment* segment)
    {
        try
        {
            RumRuntime runtime = Runtime;
            _ = runtime.Segment(address);
            *segment = Describe(runtime.Segment(runtime.Reallocate(address, (nuint)bytes)));
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_refresh")]
    private static int ClientRefresh(nint address)
    {
        try
        {
            Runtime.Refresh(address);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_hold")]
    private static int ClientHold(nint address, long length)
    {
        try
        {
            Runtime.Hold(address, length);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_end_hold")]
    private static int ClientEndHold(nint address, long length)
    {
        s_runtime?.Resident.EndHold(address, length);
        return 0;
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_try_pin")]
    private static int ClientTryPin(nint address, long length)
    {
        if (s_runtime is not { } runtime) return Refuse(RumError.NotInitialized);
        RumError error = runtime.Resident.TryPin(address, length);
        return error is RumError.None or RumError.Pending ? (int)error : Refuse(error);
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_try_unpin")]
    private static int ClientTryUnpin(nint address, long length)
    {
        s_runtime?.Resident.EndTryPin(address, length);
        return 0;
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_client_try_read")]
    private static int ClientTryRead(nint address, nint to, long length) => TryCopy(address, to, length, false);

    [UnmanagedCallersOnly(EntryPoint = "rum_client_try_write")]
    private static int ClientTryWrite(nint address, nint from, long length) => TryCopy(address, from, length, true);

    [UnmanagedCallersOnly(EntryPoint = "rum_client_read")]
    private static int ClientRead(nint address, nint to, long length) => Copy(address, to, length, false);

    [UnmanagedCallersOnly(EntryPoint = "rum_client_write")]
    private static int ClientWrite(nint address, nint from, long length) => Copy(address, from, length, true);

    [UnmanagedCallersOnly(EntryPoint = "rum_client_statistics")]
    private static int ClientStatistics(ClientCounters* counters)
    {
        try
        {
            Runtime.Count(out *counters);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    private static int TryCopy(nint address, nint local, long length, bool write)
    {
        if (length == 0) return 0;
        if (s_runtime is not { } runtime) return Refuse(RumError.NotInitialized);
        RumError error = runtime.Resident.TryCopy(address, local, length, write);
        return error is RumError.None or RumError.Pending ? (int)error : Refuse(error);
    }

    private static int Copy(nint address, nint local, long length, bool write)
    {
        try
        {
            Runtime.Copy(address, local, length, write);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    /// <summary>Keeps an error without words: the other end has its own for each code.</summary>
    private static int Refuse(RumError error)
    {
        RemoteHeap.SetThreadError(error, "");
        return (int)error;
    }

    private static ClientSegment Describe(MappedSegment segment) => new()
    {
        Address = segment.Address,
        Length = segment.Bytes,
        Id = segment.Segment.Value,
        ReadOnly = segment.Writable ? 0 : 1,
    };
}
