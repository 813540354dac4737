using System.Text;
using Rum.Core.Paxos;
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

    private static PaxosRecord[] Decree(int n) => [new WitnessRecord(9, new Witness(1, 2, new Ballot(3, 4), (ulong)n)), new AcceptRecord((ulong)n, new Ballot(1, 7), Value(n))];

    private static byte[] Value(int n) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat($"batch {n} ", n)));

    private static IEnumerable<byte[]> Values(CouncilStore store) => store.Found.Records.OfType<AcceptRecord>().Select(r => r.Value);

    private void Fill(int from, int to)
    {
        using CouncilStore store = Open();
        for (int n = from; n <= to; n++) store.Append(Decree(n));
    }

    [Fact]
    public void KeepsWhatWasAppendedAndCountsItsStarts()
    {
        Guid id = CouncilStore.Create(_directory.Path);
        Fill(1, 7);
        using CouncilStore store = Open();
        Assert.Equal(id, store.ClusterId);
        Assert.Equal(Enumerable.Range(1, 7).Select(Value), Values(store));
        Assert.Equal(new Witness(1, 2, new Ballot(3, 4), 7), store.Found.Records.OfType<WitnessRecord>().Last().Witness);
        Assert.Equal(2ul, store.Start);
        Assert.NotNull(store.Found.State);
        Assert.Empty(_notices);
    }

    [Fact]
    public void ACheckpointReplacesTheLogAndKeepsWhatIsPromised()
    {
        CouncilStore.Create(_directory.Path);
        using (CouncilStore store = Open())
        {
            for (int n = 1; n <= 5; n++) store.Append(Decree(n));
            long before = store.LogBytes;
            store.Replace(5, "state of 5"u8, [new PromiseRecord(new Ballot(8, 8))]);
            Assert.True(store.LogBytes < before);
            store.Append(Decree(6));
        }
        using CouncilStore again = Open();
        Assert.Equal(5ul, again.Found.Decree);
        Assert.Equal("state of 5"u8.ToArray(), again.Found.State);
        Assert.Contains(new PromiseRecord(new Ballot(8, 8)), again.Found.Records);
        Assert.Equal([Value(6)], Values(again));
        Assert.Equal(2ul, again.Start);
    }

    [Fact]
    public void ACrashBetweenTheTwoReplacementsOfACheckpointLosesNothing()
    {
        CouncilStore.Create(_directory.Path);
        Fill(1, 5);
        byte[] oldLog = File.ReadAllBytes(Log);
        using (CouncilStore store = Open()) store.Replace(5, "state of 5"u8, []);
        File.WriteAllBytes(Log, oldLog);
        Fill(6, 6);
        using CouncilStore again = Open();
        Assert.Equal(Value(6), Values(again).Last());
        Assert.Equal(5ul, again.Found.Decree);
    }

    [Fact]
    public void CutsATornTailAtEveryLengthAndGoesOn()
    {
        CouncilStore.Create(_directory.Path);
        Fill(1, 2);
        byte[] two = File.ReadAllBytes(Log);
        using (CouncilStore store = Open()) store.Append(Decree(3));
        byte[] full = File.ReadAllBytes(Log);
        // Behind the record with which the last opening counted itself.
        int whole = full.Length - ((full.Length - two.Length) - (16 + 40));
        for (int length = whole + 1; length < full.Length; length += 3)
        {
            _notices.Clear();
            File.WriteAllBytes(Log, full[..length]);
            using CouncilStore store = Open();
            Assert.Equal([Value(1), Value(2)], Values(store));
            Assert.Contains("the last record is torn", Assert.Single(_notices));
        }
        Fill(3, 4);
        using CouncilStore after = Open();
        Assert.Equal(Value(4), Values(after).Last());
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
        Assert.Contains("is damaged at byte 64 (record 1)", refused.Message);
        Assert.Equal(log, File.ReadAllBytes(Log));
    }

    [Theory]
    [InlineData(0, "foreign")]
    [InlineData(20, "damaged header")]
    [InlineData(70, "damaged (its checksum")]
    public void RefusesAForeignOrDamagedCheckpoint(int at, string expected)
    {
        CouncilStore.Create(_directory.Path);
        byte[] file = File.ReadAllBytes(Checkpoint);
        file[at] ^= 0x40;
        File.WriteAllBytes(Checkpoint, file);
        Assert.Contains(expected, Assert.Throws<CouncilStoreException>(Open).Message);
    }

    [Fact]
    public void RefusesALogOfAnotherClusterOrSeat()
    {
        Guid id = CouncilStore.Create(_directory.Path);
        using var other = new TemporaryDirectory();
        CouncilStore.Create(other.Path);
        File.Copy(other.File("log"), Log, overwrite: true);
        Assert.Contains("belongs to cluster", Assert.Throws<CouncilStoreException>(Open).Message);

        using var seat = new TemporaryDirectory();
        CouncilStore.Enroll(seat.Path, id, 1);
        File.Copy(seat.File("log"), Log, overwrite: true);
        Assert.Contains("seat", Assert.Throws<CouncilStoreException>(Open).Message);
    }

    [Fact]
    public void ASeatThatHasLearnedNothingHasNoState()
    {
        var id = Guid.NewGuid();
        CouncilStore.Enroll(_directory.Path, id, 3);
        using CouncilStore store = Open();
        Assert.Equal((id, 3u), (store.ClusterId, store.Generation));
        Assert.Null(store.Found.State);
        Assert.NotEqual(0ul, store.Seat);
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
    public void ARecoveryThatWasCutShortIsCompleted()
    {
        Guid id = CouncilStore.Create(_directory.Path);
        using (CouncilStore store = Open()) store.Append([new PromiseRecord(new Ballot(5, 6))]);
        byte[] oldLog = File.ReadAllBytes(Log);
        Assert.Equal(2u, CouncilStore.Recover(_directory.Path, id, _notices.Add).Generation);
        byte[] newLog = File.ReadAllBytes(Log);
        File.WriteAllBytes(Log, oldLog);
        using (CouncilStore store = Open())
        {
            Assert.Contains("was cut short", Assert.Single(_notices));
            Assert.Equal((2u, 2ul), (store.Generation, store.Start));
            Assert.Contains(new PromiseRecord(new Ballot(5, 6)), store.Found.Records);
        }
        _notices.Clear();
        using (CouncilStore store = Open()) Assert.Equal(3ul, store.Start);
        Assert.Empty(_notices);
        // The log of a later generation is no such thing.
        File.WriteAllBytes(Log, newLog);
        CouncilStore.Recover(_directory.Path, id, _notices.Add);
        byte[] third = File.ReadAllBytes(Checkpoint);
        CouncilStore.Recover(_directory.Path, id, _notices.Add);
        byte[] fourthLog = File.ReadAllBytes(Log);
        File.WriteAllBytes(Checkpoint, third);
        File.WriteAllBytes(Log, fourthLog);
        Assert.Contains("generation 4", Assert.Throws<CouncilStoreException>(Open).Message);
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
