using System.Globalization;
using Rum.Core;
using Rum.Core.Configuration;
using Rum.Core.Council;
using Rum.Core.Snapshots;
using Rum.FastPath.Server;
using Rum.Silo.Council;

namespace Rum.Silo.Snapshots;

/// <content>The own part: from the tables that were marked to a file.</content>
public sealed partial class SnapshotKeeper
{
    /// <summary>What files of snapshots end with.</summary>
    public const string Extension = ".rumsnap";

    private async Task SaveAsync(SnapshotInfo snapshot, ClusterView view, CancellationToken stop)
    {
        string? failure;
        if (options.Directory is null) failure = "it has no directory for snapshots: --snapshots, or --data";
        else if (await server.CutAsync() != snapshot.Cut) failure = "it doesn't keep the cut any more";
        else failure = await WriteAsync(snapshot, view, options.Directory, stop);
        await server.EndCutAsync(snapshot.Cut);
        if (failure is null) return;
        LogFailed(snapshot.Name, failure);
        await DecideAsync(new FailSnapshot(snapshot.Id, $"silo {view.Members.FirstOrDefault(member => member.Id == membership.Id)?.Name}: {failure}"), stop);
    }

    private async Task<string?> WriteAsync(SnapshotInfo snapshot, ClusterView view, string directory, CancellationToken stop)
    {
        var segments = new List<SnapshotSegment>();
        SnapshotDutyAnswer duty;
        do
        {
            CouncilAnswer answer = await council.AskAsync(new GetSnapshotDuty(snapshot.Id, membership.Id, segments.Count == 0 ? default : segments[^1].Id), stop);
            if (answer is not SnapshotDutyAnswer part) return answer.Message;
            duty = part;
            segments.AddRange(duty.Segments);
        }
        while (duty.More);
        var header = new SnapshotHeader(
            view.ClusterId, snapshot.Id, snapshot.Name, snapshot.TimeMs, snapshot.Cut, view.Members.First(member => member.Id == membership.Id).Name, view.RingShards, segments,
            duty.Shards, duty.Lost);
        string path = PathOf(directory, view.ClusterId, snapshot.Id);
        try
        {
            return await Task.Run(() => WriteAsync(path, header, snapshot, stop), stop);
        }
        catch (IOException e)
        {
            return $"{path} can't be written: {e.Message}";
        }
    }

    private async Task<string?> WriteAsync(string path, SnapshotHeader header, SnapshotInfo snapshot, CancellationToken stop)
    {
        var wanted = header.Segments.Select(static segment => segment.Id).ToHashSet();
        bool[] shards = new bool[ushort.MaxValue + 1];
        foreach (ShardId shard in header.Shards) shards[shard.Value] = true;
        using var writer = new SnapshotWriter(path, header);
        var reader = new CutReader(server, snapshot.Cut);
        await reader.RestrictAsync((segment, shard) => wanted.Contains(segment) && shards[shard.Value]);
        while (await reader.NextAsync()) writer.Add(reader.Extent, stop);
        if (!await reader.IsKeptAsync()) return "memory was short for pages that programs wrote meanwhile; a silo needs room for what changes while it saves";
        writer.Finish();
        Result saved = await DecideAsync(new SavedSnapshot(snapshot.Id, membership.Id, server.Incarnation, writer.Pages, writer.Bytes), stop);
        if (saved.Error != RumError.None) return saved.Message;
        LogSaved(snapshot.Name, writer.Pages, ByteSize.Format(writer.Bytes), path);
        return null;
    }

    /// <summary>A silo's file of a snapshot.</summary>
    private static string PathOf(string directory, Guid cluster, ulong snapshot) => Path.Combine(directory, $"{Prefix(cluster)}{snapshot}{Extension}");

    private static string Prefix(Guid cluster) => $"{cluster:N}"[..12] + "-";

    // Files of other clusters are nobody's business here: they may be what this one was restored from.
    private void Tidy(Guid cluster, IReadOnlyList<SnapshotInfo> all)
    {
        if (options.Directory is not { } directory || !Directory.Exists(directory)) return;
        foreach (string path in Directory.GetFiles(directory, $"{Prefix(cluster)}*{Extension}"))
        {
            string number = Path.GetFileNameWithoutExtension(path)[Prefix(cluster).Length..];
            if (!ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out ulong id)) continue;
            if (all.Any(snapshot => snapshot.Id == id && snapshot.State != SnapshotState.Failed)) continue;
            File.Delete(path);
            LogRemoved(path);
        }
    }
}
