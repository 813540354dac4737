using Rum.Core.Council;

namespace Rum.Cluster.Tests.Council;

public sealed class CouncilPlanTests
{
    [Theory]
    [InlineData("1", 3, "1", "", null)] // alone
    [InlineData("1", 3, "1 2", "", null)] // two silos: one could not outvote the other
    [InlineData("1", 3, "1 2 3", "", "1 2 3")]
    [InlineData("1", 3, "1 2 3 4 5", "", "1 2 3")]
    [InlineData("1", 5, "1 2 3 4 5", "", "1 2 3 4 5")]
    [InlineData("1", 5, "1 2 3 4", "", "1 2 3")]
    [InlineData("1 2 3", 3, "1 2 3 4", "", null)] // nobody is away
    [InlineData("1 2 3", 3, "1 2 4", "", null)] // 3 doesn't answer, but not for long
    [InlineData("1 2 3", 3, "1 2 4", "3", "1 2 4")]
    [InlineData("1 2 3", 3, "1 2", "3", null)] // nobody to take its place
    [InlineData("1 2 3", 5, "1 2 3 4 5", "", "1 2 3 4 5")]
    [InlineData("1 2 3 4 5", 3, "1 2 3 4 5", "", "1 2 3")] // asked for
    [InlineData("1 2 3", 1, "2 3", "", "2")]
    public void SeatsWhoAnswersAndReplacesWhoIsAway(string council, int max, string answering, string away, string? next) =>
        Assert.Equal(next is null ? null : Seats(next), CouncilPlan.Next(Seats(council), max, Seats(answering), Seats(away)));

    private static ulong[] Seats(string text) => [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ulong.Parse)];
}
