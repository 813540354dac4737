using Rum.Cli.Bench;
using Rum.FastPath.Tracing;

namespace Rum.Cluster.Tests.Bench;

public sealed class FaultStagesTests
{
    private static readonly (long, Stage)[] Program = [(100, Stage.Touched), (200, Stage.Resumed), (300, Stage.Touched), (400, Stage.Resumed)];
    private static readonly (long, Stage)[] Client =
    [
        (90, Stage.Received), (110, Stage.Taken), (120, Stage.Sending), (123, Stage.Sent), (160, Stage.Received), (170, Stage.Mapping), (180, Stage.Mapped),
        (310, Stage.Taken), (320, Stage.Sending), (321, Stage.Sent), (350, Stage.Received), (370, Stage.Mapping), (390, Stage.Mapped),
    ];

    private static readonly (long, Stage)[] Silo =
        [(115, Stage.Received), (130, Stage.Received), (135, Stage.Sending), (142, Stage.Sent), (330, Stage.Received), (340, Stage.Sending), (345, Stage.Sent)];

    [Fact]
    public void TheStagesAddUpToTheFault()
    {
        List<long[]> faults = FaultStages.Join(Program, Client, Silo);
        Assert.Equal([[100, 10, 10, 10, 5, 25, 10, 10, 20, 3, 7], [100, 10, 10, 10, 10, 10, 20, 20, 10, 1, 5]], faults);
        Assert.All(faults, fault => Assert.Equal(fault[0], fault[1..9].Sum()));
    }

    [Fact]
    public void AFaultWithoutOneOfItsMomentsIsNotCounted()
    {
        for (int i = 1; i < 7; i++)
        {
            (long, Stage)[] without = [.. Client[..i], .. Client[(i + 1)..]];
            Assert.Single(FaultStages.Join(Program, without, Silo));
        }
        Assert.Single(FaultStages.Join(Program, Client, [.. Silo[..4], .. Silo[5..]]));
        Assert.Empty(FaultStages.Join(Program, Client, []));
    }
}
