using Rum.Core;

namespace Rum.FastPath.Server;

/// <summary>
/// Goes through a cut that the page server keeps, extent by extent. The data thread is asked for lists only, some tens of microseconds each; the images are copied by the caller's thread
/// from where they stand. One task.
/// </summary>
public sealed class CutReader(PageServer server, ulong cut)
{
    private readonly CutExtent _extent = new();
    private int _cursor = 1;

    /// <summary>The extent that <see cref="NextAsync"/> found.</summary>
    public CutExtent Extent => _extent;

    /// <summary>Whether everything that was copied so far is the cut's. To be asked after the images were copied and before they are believed.</summary>
    public Task<bool> IsKeptAsync() => server.RunAsync(pool => pool.Cut == cut && !pool.CutFailed);

    /// <summary>Says which extents are wanted; the others are let go.</summary>
    public Task RestrictAsync(Func<SegmentId, ShardId, bool> wanted) => server.RunAsync(pool =>
    {
        if (pool.Cut == cut) pool.RestrictCut(wanted);
        return true;
    });

    /// <summary>Lets the extent before go and finds the next; false: there is none, or the cut isn't kept any more.</summary>
    public async Task<bool> NextAsync()
    {
        bool first = _extent.Segment == 0;
        while (await server.RunAsync(Find))
        {
            if (_extent.Segment != 0) return true;
        }
        return false;

        bool Find(PagePool pool)
        {
            if (pool.Cut != cut || pool.CutFailed) return false;
            if (!first) pool.SavedExtent(_extent);
            first = true;
            return pool.NextOfCut(ref _cursor, _extent);
        }
    }
}
