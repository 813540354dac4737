using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Rum.Core;

namespace Rum.Pager.Paging;

/// <summary>
/// A keyed 64-bit hash of a page, to tell whether it changed. Eight lanes of two AES rounds per 16 bytes (one round would leave a difference
/// of one byte in four known places, where a second change could undo it); without AES instructions, multiplications folded to 64 bits.
/// The key is random per process, so no data can be made to collide. Not for authentication.
/// </summary>
public sealed unsafe class PageHash
{
    private static NativePageHash* s_native;

    private readonly NativePageHash* _native;
    private readonly Vector128<byte> _first;
    private readonly Vector128<byte> _second;
    private readonly ulong _key;
    private readonly bool _aes;
    private readonly ulong _mask;

    /// <summary>The library's C part gives the hash for processors that have wider instructions; null: this one has none.</summary>
    internal static void Use(NativePageHash* native) => s_native = native;

    /// <summary>Makes the keys. <paramref name="mask"/> shortens the hash, for the test that shows what a short one does.</summary>
    public PageHash(ulong key, bool useAes = true, ulong mask = ulong.MaxValue)
    {
        _key = Mix(key + 0x9E3779B97F4A7C15);
        _first = Vector128.Create(_key, Mix(_key)).AsByte();
        _second = Vector128.Create(Mix(_key + 1), Mix(_key + 2)).AsByte();
        _aes = useAes && Aes.IsSupported;
        _mask = mask;
        _native = useAes ? s_native : null;
    }

    /// <summary>The hash of <see cref="Layout.PageSize"/> bytes.</summary>
    public ulong Of(byte* page)
    {
        if (_native == null) return (_aes ? WithAes(page) : WithMultiply(page)) & _mask;
        ulong* key = stackalloc ulong[4];
        StoreKey(key);
        return _native->Of(page, key) & _mask;
    }

    /// <summary>Copies a page that nobody changes meanwhile; returns its hash.</summary>
    public ulong Copy(byte* to, byte* from)
    {
        if (_native == null)
        {
            new ReadOnlySpan<byte>(from, Layout.PageSize).CopyTo(new Span<byte>(to, Layout.PageSize));
            return Of(to);
        }

        ulong* key = stackalloc ulong[4];
        StoreKey(key);
        return _native->Copy(to, from, key) & _mask;
    }

    private void StoreKey(ulong* key)
    {
        _first.AsUInt64().Store(key);
        _second.AsUInt64().Store(key + 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ulong WithAes(byte* page)
    {
        Vector128<byte> k1 = _first, k2 = _second;
        Vector128<byte> a = k1, b = k2, c = ~k1, d = ~k2, e = k1 ^ k2, f = k1 + k2, g = k1 - k2, h = k2 - k1;
        for (byte* end = page + Layout.PageSize; page < end; page += 128)
        {
            a = Aes.Encrypt(Aes.Encrypt(a ^ Vector128.Load(page), k1), k2);
            b = Aes.Encrypt(Aes.Encrypt(b ^ Vector128.Load(page + 16), k1), k2);
            c = Aes.Encrypt(Aes.Encrypt(c ^ Vector128.Load(page + 32), k1), k2);
            d = Aes.Encrypt(Aes.Encrypt(d ^ Vector128.Load(page + 48), k1), k2);
            e = Aes.Encrypt(Aes.Encrypt(e ^ Vector128.Load(page + 64), k1), k2);
            f = Aes.Encrypt(Aes.Encrypt(f ^ Vector128.Load(page + 80), k1), k2);
            g = Aes.Encrypt(Aes.Encrypt(g ^ Vector128.Load(page + 96), k1), k2);
            h = Aes.Encrypt(Aes.Encrypt(h ^ Vector128.Load(page + 112), k1), k2);
        }

        Vector128<byte> sum = a;
        sum = Fold(sum, b, k1, k2);
        sum = Fold(sum, c, k1, k2);
        sum = Fold(sum, d, k1, k2);
        sum = Fold(sum, e, k1, k2);
        sum = Fold(sum, f, k1, k2);
        sum = Fold(sum, g, k1, k2);
        sum = Fold(sum, h, k1, k2);
        Vector128<ulong> words = sum.AsUInt64();
        return words[0] ^ words[1];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Fold(Vector128<byte> sum, Vector128<byte> lane, Vector128<byte> k1, Vector128<byte> k2) =>
        Aes.Encrypt(Aes.Encrypt(sum ^ k2, k1) ^ lane, k2);

    private ulong WithMultiply(byte* page)
    {
        ulong a = _key, b = Mix(a), c = Mix(b), d = Mix(c);
        ulong ka = Mix(d), kb = Mix(ka), kc = Mix(kb), kd = Mix(kc);
        for (ulong* p = (ulong*)page, end = p + Layout.PageSize / 8; p < end; p += 8)
        {
            a = Multiply(p[0] ^ ka, p[1] ^ a);
            b = Multiply(p[2] ^ kb, p[3] ^ b);
            c = Multiply(p[4] ^ kc, p[5] ^ c);
            d = Multiply(p[6] ^ kd, p[7] ^ d);
        }

        return Mix(Mix(Mix(a) + b ^ ka) + c ^ kb) + d ^ kc;
    }

    private static ulong Multiply(ulong x, ulong y)
    {
        ulong high = Math.BigMul(x, y, out ulong low);
        return high ^ BitOperations.RotateLeft(low, 23) ^ y;
    }

    private static ulong Mix(ulong x)
    {
        x ^= x >> 32;
        x *= 0xD6E8FEB86659FD93;
        x ^= x >> 32;
        x *= 0xD6E8FEB86659FD93;
        return x ^ x >> 32;
    }
}
