using System.Runtime.InteropServices;
using Rum.Core;
using Rum.FastPath.Client;
using Rum.Simulation.Pages;

namespace Rum.Simulation.Replicas;

/// <summary>Reads pages of a segment that another writes.</summary>
internal sealed unsafe class SimulatedReader : IDisposable
{
    private const int Buffers = 96;

    private readonly Random _random;
    private readonly SegmentHandle _handle;
    private readonly byte* _memory;
    private readonly Dictionary<ulong, (int Index, (PageVersion Version, bool Zero) NotBefore)> _reads = [];
    private readonly PageCompletion[] _completions = new PageCompletion[16];
    private ulong _cookie;
    private long _nextNs;

    public SimulatedReader(PageClient client, SegmentHandle handle, Random random)
    {
        (Client, _handle, _random) = (client, handle with { Token = 0 }, random);
        _memory = (byte*)NativeMemory.AlignedAlloc(Buffers * Layout.PageSize, Layout.PageSize);
        for (int i = 0; i < Buffers; i++) client.Lend(_memory + (i * Layout.PageSize));
    }

    public PageClient Client { get; }

    /// <summary>What is acknowledged of a page as far as this reader's views go.</summary>
    public required Func<int, (PageVersion Version, bool Zero)> Newest { get; init; }

    /// <summary>A version of a page and the first word of its image were seen.</summary>
    public required Action<int, PageVersion, ulong> Sees { get; init; }

    public long NextDeadlineNs => _reads.Count < 4 ? Math.Min(_nextNs, Client.NextDeadlineNs) : Client.NextDeadlineNs;

    public void Step(long nowNs)
    {
        int count = Client.Poll(nowNs, _completions);
        for (int i = 0; i < count; i++) End(_completions[i]);
        if (nowNs < _nextNs || _reads.Count >= 4) return;
        _nextNs = nowNs + _random.Next(50_000, 1_000_000);
        int index = _random.Next(SimulatedClient.Pages);
        if (Client.TryRead(_handle, SimulatedClient.PageAt(index), 1, ++_cookie)) _reads.Add(_cookie, (index, Newest(index)));
        Client.Submit();
    }

    public void Dispose()
    {
        Client.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private void End(in PageCompletion end)
    {
        if (!_reads.Remove(end.Cookie, out (int Index, (PageVersion Version, bool Zero) NotBefore) read)) throw new SimulationException("a reader's read ended twice");
        if (end.Status is not (PageStatus.Ok or PageStatus.Zero)) throw new SimulationException($"a reader's read of page {end.Page} ended as {end.Status}");
        ulong stamp = end.Image == null ? 0 : SimulatedClient.StampOf((ulong*)end.Image, end.Page);
        if (end.Lent) Client.Lend(end.Image);
        // A trim of a page that was never written leaves no trace where there is only one replica.
        if (end.Version < read.NotBefore.Version && !(read.NotBefore.Zero && end.Version == default))
            throw new SimulationException($"a reader sees version {end.Version} of page {end.Page}; {read.NotBefore.Version} was acknowledged before, in an epoch that it knew");
        Sees(read.Index, end.Version, stamp);
    }
}
