using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Snapshots;

namespace Rum.Silo.Snapshots;

/// <summary>The files of one snapshot, from the directories of the silos that saved it.</summary>
public sealed class SnapshotSet : IDisposable
{
    private SnapshotSet(IReadOnlyList<SnapshotFile> files) => Files = files;

    /// <summary>The files, each with an intact header.</summary>
    public IReadOnlyList<SnapshotFile> Files { get; }

    /// <summary>What all of them say.</summary>
    public SnapshotHeader Header => Files[0].Header;

    /// <summary>
    /// Finds the newest snapshot among files and directories, or the one with a name. Null and why there is none. <paramref name="wrong"/> gets a line for each file that can't be used.
    /// </summary>
    public static SnapshotSet? Find(IEnumerable<string> places, string? name, List<string> wrong, out string none)
    {
        var found = new List<SnapshotFile>();
        foreach (string place in places)
        {
            string[] paths = Directory.Exists(place) ? Directory.GetFiles(place, "*" + SnapshotKeeper.Extension) : [place];
            if (paths.Length == 0) wrong.Add($"{place} holds no file of a snapshot");
            foreach (string path in paths)
            {
                if (SnapshotFile.Open(path, out string why) is { } file) found.Add(file);
                else wrong.Add($"{path} {why}");
            }
        }
        IGrouping<(Guid, ulong), SnapshotFile>? chosen = found.GroupBy(static file => (file.Header.ClusterId, file.Header.Cut))
            .Where(group => name is null || group.First().Header.Name == name)
            .MaxBy(static group => group.First().Header.TimeMs);
        foreach (SnapshotFile other in found)
            if (chosen is null || !chosen.Contains(other)) other.Dispose();
        none = chosen is not null ? "" : name is null ? "no snapshot was found there" : $"no snapshot named {name} was found there";
        // The same file by two ways is one.
        return chosen is null ? null : new SnapshotSet([.. chosen.DistinctBy(static file => file.Header.Silo)]);
    }

    /// <summary>Shards that segments have extents in and that are in none of the files, though they were not lost when the cut was made.</summary>
    public IReadOnlyList<ShardId> Uncovered()
    {
        var covered = Files.SelectMany(static file => file.Header.Shards).Concat(Header.Lost).ToHashSet();
        return [.. Header.Segments.SelectMany(ShardsOf).Distinct().Where(shard => !covered.Contains(shard))];
    }

    /// <summary>The shard of an extent, as it was then.</summary>
    public ShardId ShardOf(in SnapshotSegment segment, long extent) => SegmentLayout.ShardOf(segment.FirstShard, segment.Flags, extent, Header.RingShards);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SnapshotFile file in Files) file.Dispose();
    }

    private IEnumerable<ShardId> ShardsOf(SnapshotSegment segment)
    {
        long extents = Layout.ExtentsFor(segment.Size);
        for (long extent = 0; extent < Math.Min(extents, Header.RingShards); extent++) yield return ShardOf(segment, extent);
    }
}
