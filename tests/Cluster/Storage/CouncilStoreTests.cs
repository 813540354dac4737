using System.Text;
using Rum.Silo.Storage;

namespace Rum.Cluster.Tests.Storage;

public sealed class CouncilStoreTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<string> _notices = [];

    public void Dispose() => _directory.Dispose();

    private CouncilStore Open() => CouncilStore.Open(_directory.Path, _notices.Add);

    private string Log => _directory.File("log");

    private string Checkpoint => _directory.File("checkpoint");

    private static byte[] Batch(int n) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"batch {n} ", n)));

    private void Fill(int from, int to)
    {
        using CouncilStore store = Open();
        for (int n = from; n <= to; n++) store.Append((ulong)n, Batch(n));
    }

    [Fact]
    public void KeepsWhatWasAppended()
    {
        Guid id = CouncilStore.Create(_directory.Path);
        Fill(1, 7);
        using CouncilStore store = Open();
        Assert.Equal(id, store.ClusterId);
        Assert.Equal(7ul, store.LastDecree);
        Assert.Equal(Enumerable.Range(1, 7).Select(Batch), store.Batches.Select(b => b.Bytes));
        Assert.Empty(_notices);
    }

    [Fact]
    public void ACheckpointReplacesTheLog()
    {
        CouncilStore.Create(_directory.Path);
        using (CouncilStore store = Open())
        {
            for (int n = 1; n <= 5; n++) store.Append((ulong)n, Batch(n));
            store.WriteCheckpoint("state of 5"u8);
            Assert.Equal(0, store.LogBytes);
            store.Append(6, Batch(6));
        }
        using CouncilStore again = Open();
        Assert.Equal(5ul, again.Checkpoint.Decree);
        Assert.Equal("state of 5"u8.ToArray(), again.Checkpoint.Bytes);
        Assert.Equal(6ul, Assert.Single(again.Batches).Decree);
    }

    [Fact]
    public void ACrashBetweenTheTwoReplacementsOfACheckpointLosesNothing()
    {
        CouncilStore.Create(_directory.Path);
        Fill(1, 5);
        byte[] oldLog = File.ReadAllBytes(Log);
        using (CouncilStore store = Open()) store.WriteCheckpoint("state of 5"u8);
        File.WriteAllBytes(Log, oldLog);
        Fill(6, 6);
        using CouncilStore again = Open();
        Assert.Equal(6ul, Assert.Single(again.Batches).Decree);
        Assert.Equal(5ul, again.Checkpoint.Decree);
    }

    [Fact]
    public void CutsATornTailAtEveryLengthAndGoesOn()
    {
        CouncilStore.Create(_directory.Path);
        Fill(1, 2);
        long whole = new FileInfo(Log).Length;
        Fill(3, 3);
        byte[] full = File.ReadAllBytes(Log);
        for (long length = whole + 1; length < full.Length; length++)
        {
            _notices.Clear();
            File.WriteAllBytes(Log, full[..(int)length]);
            using (CouncilStore store = Open())
            {
                Assert.Equal(2ul, store.LastDecree);
                Assert.Contains("the last record is torn", Assert.Single(_notices));
            }
            Assert.Equal(whole, new FileInfo(Log).Length);
        }
        Fill(3, 4);
        using CouncilStore after = Open();
        Assert.Equal(4ul, after.LastDecree);
    }

    [Fact]
    public void RefusesDamageBeforeTheEnd()
    {
        CouncilStore.Create(_directory.Path);
        Fill(1, 4);
        byte[] log = File.ReadAllBytes(Log);
        log[64 + 20] ^= 1;
        File.WriteAllBytes(Log, log);
        CouncilStoreException refused = Assert.Throws<CouncilStoreException>(Open);
        Assert.Contains("is damaged at byte 64 (decree 1)", refused.Message);
        Assert.Equal(log, File.ReadAllBytes(Log));
    }

    [Theory]
    [InlineData(0, "foreign")]
    [InlineData(20, "damaged header")]
    [InlineData(70, "damaged (its checksum")]
    public void RefusesAForeignOrDamagedCheckpoint(int at, string expected)
    {
        CouncilStore.Create(_directory.Path);
        using (CouncilStore store = Open())
        {
            store.Append(1, Batch(1));
            store.WriteCheckpoint("a state of some length"u8);
        }
        byte[] file = File.ReadAllBytes(Checkpoint);
        file[at] ^= 0x40;
        File.WriteAllBytes(Checkpoint, file);
        Assert.Contains(expected, Assert.Throws<CouncilStoreException>(Open).Message);
    }

    [Fact]
    public void RefusesALogOfAnotherCluster()
    {
        CouncilStore.Create(_directory.Path);
        using var other = new TemporaryDirectory();
        CouncilStore.Create(other.Path);
        File.Copy(other.File("log"), Log, overwrite: true);
        Assert.Contains("belongs to cluster", Assert.Throws<CouncilStoreException>(Open).Message);
    }

    [Fact]
    public void RefusesADirectoryWithoutItsCheckpoint()
    {
        CouncilStore.Create(_directory.Path);
        Fill(1, 1);
        File.Delete(Checkpoint);
        Assert.Contains("checkpoint is missing", Assert.Throws<CouncilStoreException>(Open).Message);
        Assert.Contains("born once", Assert.Throws<CouncilStoreException>(() => CouncilStore.Create(_directory.Path)).Message);
    }

    [Fact]
    public void TwoProcessesCannotShareADirectory()
    {
        CouncilStore.Create(_directory.Path);
        using CouncilStore first = Open();
        Assert.Contains("can't be locked", Assert.Throws<CouncilStoreException>(Open).Message);
    }

    [Fact]
    public void AClusterIsBornOnce()
    {
        CouncilStore.Create(_directory.Path);
        Assert.Contains("born once", Assert.Throws<CouncilStoreException>(() => CouncilStore.Create(_directory.Path)).Message);
    }

    [Fact]
    public void AnEmptyDirectoryNamesTheCommandThatMakesACluster() =>
        Assert.Contains("rum cluster init --data", Assert.Throws<CouncilStoreException>(Open).Message);
}
