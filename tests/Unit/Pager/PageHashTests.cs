using System.Numerics;
using Rum.Core;
using Rum.Pager.Paging;

namespace Rum.Unit.Tests.Pager;

public sealed unsafe class PageHashTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_single_bit_changes_half_of_the_hash(bool aes)
    {
        PageHash hash = new(42, aes);
        byte[] page = new byte[Layout.PageSize];
        new Random(1).NextBytes(page);
        fixed (byte* p = page)
        {
            ulong before = hash.Of(p);
            long changed = 0;
            int tries = 0;
            for (int bit = 0; bit < Layout.PageSize * 8; bit += 7, tries++)
            {
                p[bit / 8] ^= (byte)(1 << (bit % 8));
                ulong after = hash.Of(p);
                p[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.NotEqual(before, after);
                changed += BitOperations.PopCount(before ^ after);
            }

            Assert.InRange(changed / (double)tries, 31, 33);
            Assert.Equal(before, hash.Of(p));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pages_that_differ_in_two_small_counters_never_share_a_hash(bool aes)
    {
        PageHash hash = new(42, aes);
        byte[] page = new byte[Layout.PageSize];
        HashSet<ulong> seen = [];
        fixed (byte* p = page)
        {
            // The second counter lies one lane stride behind the first, where a weak lane could undo the change.
            for (int a = 0; a < 256; a++)
                for (int b = 0; b < 256; b++)
                {
                    p[64] = (byte)a;
                    p[64 + 128] = (byte)b;
                    Assert.True(seen.Add(hash.Of(p)), $"{a}, {b}");
                }
        }
    }

    [Fact]
    public void The_key_matters()
    {
        byte[] page = new byte[Layout.PageSize];
        fixed (byte* p = page)
        {
            Assert.NotEqual(new PageHash(1).Of(p), new PageHash(2).Of(p));
            Assert.NotEqual(new PageHash(1, false).Of(p), new PageHash(2, false).Of(p));
        }
    }
}
