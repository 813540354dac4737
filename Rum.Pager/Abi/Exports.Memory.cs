using System.Runtime.InteropServices;
using Rum.Pager.Session;

namespace Rum.Pager.Abi;

// Anonymous memory, and what works on any remote memory.
internal static unsafe partial class Exports
{
    [UnmanagedCallersOnly(EntryPoint = "rum_managed_alloc")]
    private static nint Allocate(nuint size)
    {
        try
        {
            RumRuntime.ThrowIfFailed(Runtime.Heap.Allocate(size, out nint address), size);
            return address;
        }
        catch (Exception failure)
        {
            return Null(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_free")]
    private static int Free(nint address)
    {
        try
        {
            Runtime.Free(address);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_return_half")]
    private static void ReturnHalf(int sizeClass)
    {
        try
        {
            s_runtime?.Heap.ReturnHalf(sizeClass);
        }
        catch (Exception failure)
        {
            Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_aligned_alloc")]
    private static nint AllocateAligned(nuint alignment, nuint size)
    {
        try
        {
            RumRuntime.ThrowIfFailed(Runtime.Heap.AllocateAligned(size, alignment, out nint address), size);
            return address;
        }
        catch (Exception failure)
        {
            return Null(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_calloc")]
    private static nint AllocateZeros(nuint count, nuint size)
    {
        try
        {
            return Runtime.AllocateZeros(count, size);
        }
        catch (Exception failure)
        {
            return Null(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_realloc")]
    private static nint Reallocate(nint address, nuint size)
    {
        try
        {
            RumRuntime runtime = Runtime;
            if (address == 0)
            {
                RumRuntime.ThrowIfFailed(runtime.Heap.Allocate(size, out nint fresh), size);
                return fresh;
            }
            if (size != 0) return runtime.Reallocate(address, size);
            runtime.Free(address);
            return 0;
        }
        catch (Exception failure)
        {
            return Null(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_usable_size")]
    private static nuint UsableSize(nint address)
    {
        try
        {
            return Runtime.UsableSize(address);
        }
        catch (Exception failure)
        {
            return (nuint)Null(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_prefetch")]
    private static int Prefetch(nint address, nuint length)
    {
        try
        {
            Runtime.Prefetch(address, length);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_pin")]
    private static int Pin(nint address, nuint length)
    {
        try
        {
            Runtime.Pin(address, length);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_unpin")]
    private static int Unpin(nint address, nuint length)
    {
        try
        {
            Runtime.Unpin(address, length);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_flush")]
    private static int Flush(nint address, nuint length)
    {
        try
        {
            Runtime.Flush(address, length);
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    [UnmanagedCallersOnly(EntryPoint = "rum_managed_flush_cache")]
    private static int FlushCache()
    {
        try
        {
            Runtime.FlushCache();
            return 0;
        }
        catch (Exception failure)
        {
            return Fail(failure);
        }
    }

    private static nint Null(Exception failure)
    {
        Fail(failure);
        return 0;
    }
}
