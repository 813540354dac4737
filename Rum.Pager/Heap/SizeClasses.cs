using System.Numerics;
using Rum.Core;

namespace Rum.Pager.Heap;

/// <summary>
/// The sizes that small objects are rounded up to: every 16 bytes up to 128, then eight per doubling up to 32 KiB, so at most an eighth of an object
/// is lost to rounding. Each class has its slab size, chosen so that at most a sixteenth of a slab is left over.
/// </summary>
internal static class SizeClasses
{
    /// <summary>The largest small object; above it stand page runs.</summary>
    public const int MaxSmall = 32 * 1024 - 1;

    /// <summary>Number of classes.</summary>
    public const int Count = 8 + 8 * 8;

    /// <summary>Pages of the largest slab; a slab's idle pages are one bit each of a 64-bit word.</summary>
    public const int MaxSlabPages = 64;

    private const int MinSlabPages = 8;

    private static readonly ushort[] Sizes = MakeSizes();
    private static readonly byte[] Slabs = MakeSlabs();

    /// <summary>Bytes of an object of the class. The last class holds 32 KiB, one more than <see cref="MaxSmall"/>.</summary>
    public static int SizeOf(int sizeClass) => Sizes[sizeClass];

    /// <summary>Pages of a slab of the class.</summary>
    public static int SlabPages(int sizeClass) => Slabs[sizeClass];

    /// <summary>Objects in a slab of the class.</summary>
    public static int SlabObjects(int sizeClass) => SlabPages(sizeClass) * Layout.PageSize / SizeOf(sizeClass);

    /// <summary>The class of <paramref name="size"/> bytes, 1 to <see cref="MaxSmall"/>.</summary>
    public static int Of(nuint size)
    {
        uint last = (uint)size - 1;
        if (last < 128) return (int)(last >> 4);
        int log = BitOperations.Log2(last);
        return 8 + ((log - 7) << 3) + (int)((last >> (log - 3)) & 7);
    }

    /// <summary>The smallest class of <paramref name="size"/> bytes whose objects all stand at multiples of <paramref name="alignment"/>, or -1.</summary>
    public static int OfAligned(nuint size, nuint alignment)
    {
        if (alignment > Layout.PageSize) return -1;
        for (int sizeClass = Of(size); sizeClass < Count; sizeClass++)
        {
            if ((nuint)SizeOf(sizeClass) % alignment == 0) return sizeClass;
        }
        return -1;
    }

    /// <summary>Objects that a thread keeps of a class at most: 32 KiB worth, but 8 to 256.</summary>
    public static int CacheCapacity(int sizeClass) => Math.Clamp(32 * 1024 / SizeOf(sizeClass), 8, 256);

    private static ushort[] MakeSizes()
    {
        var sizes = new ushort[Count];
        for (int i = 0; i < 8; i++) sizes[i] = (ushort)((i + 1) * 16);
        for (int i = 8; i < Count; i++)
        {
            int log = 7 + ((i - 8) >> 3);
            sizes[i] = (ushort)((1 << log) + ((((i - 8) & 7) + 1) << (log - 3)));
        }
        return sizes;
    }

    private static byte[] MakeSlabs()
    {
        var slabs = new byte[Count];
        for (int i = 0; i < Count; i++)
        {
            int best = MinSlabPages;
            for (int pages = MinSlabPages; pages <= MaxSlabPages; pages++)
            {
                if (LeftOver(pages, i) * best < LeftOver(best, i) * pages) best = pages;
                bool good = LeftOver(pages, i) * 16 <= pages * Layout.PageSize;
                if (good && pages * Layout.PageSize / SizeOf(Sizes, i) >= 4)
                {
                    best = pages;
                    break;
                }
            }
            slabs[i] = (byte)best;
        }
        return slabs;
    }

    private static int SizeOf(ushort[] sizes, int sizeClass) => sizes[sizeClass];

    private static int LeftOver(int pages, int sizeClass) => pages * Layout.PageSize % SizeOf(Sizes, sizeClass);
}
