using Rum.Cli.Bench;

namespace Rum.Cluster.Tests.Bench;

public sealed class BenchNamesTests
{
    [Theory]
    [InlineData("memcpy", "memcpy", true)]
    [InlineData("floor", "floor.pager.write", true)]
    [InlineData("fault.read", "fault.read.udp", true)]
    [InlineData("fault.read", "fault.readahead", false)]
    [InlineData("fault.*.udp", "fault.mixed.udp", true)]
    [InlineData("fault.*.udp", "fault.mixed.shm", false)]
    [InlineData("rtt.shm", "rtt.shm.32", true)]
    [InlineData("mem", "memcpy", false)]
    [InlineData("curve.zipf.heavy.12.5", "curve.zipf.heavy.12.5", true)]
    [InlineData("a.b", "a,b", false)]
    public void ANameIsItselfItsBeginningOrAPattern(string asked, string name, bool expected) =>
        Assert.Equal(expected, new BenchNames([asked]).Match(name));

    [Fact]
    public void CommasAndSeveralValuesAreTheSame()
    {
        Assert.Equal(["memcpy", "floor", "rtt"], new BenchNames(["memcpy, floor", "rtt"]).Asked);
        Assert.True(new BenchNames([]).Match("anything"));
    }

    [Fact]
    public void WhatNothingIsCalledIsNamed() =>
        Assert.Equal(["flor", "x.*"], new BenchNames(["floor,flor,x.*"]).Unknown(BenchCatalog.Steps));

    [Fact]
    public void WhatAFigureIsComparedWithIsMeasuredToo()
    {
        IReadOnlyList<BenchStep> steps = new BenchNames(["scan.shm"]).Select(BenchCatalog.Steps);
        Assert.Equal(["kernel.touch memcpy malloc.64 malloc.4096", "scan.shm"], steps.Select(step => string.Join(' ', step.Names)));
        Assert.Equal(["memcpy", "scan.shm"], new BenchNames(["scan.shm"]).Wanted(BenchCatalog.Steps).Order());
    }

    [Fact]
    public void WhatIsMeasuredInAnotherLayoutIsComparedWithAllTheSame()
    {
        var plan = new BenchNames(["fault.read.vhost"]).Plan(BenchCatalog.Steps, []);
        Assert.Equal([("floor.pager", BenchLayout.One), ("fault.read.vhost", BenchLayout.Split)], plan.Select(one => (one.Step.Names[0], one.Layout)));
        plan = new BenchNames(["fault.read.shm"]).Plan(BenchCatalog.Steps, ["one"]);
        Assert.Equal("floor.pager", plan[0].Step.Names[0]);
        Assert.All(plan, one => Assert.Equal(BenchLayout.One, one.Layout));
    }

    [Fact]
    public void DpdkNamesEveryFigureOverIt()
    {
        var names = new BenchNames(["dpdk"]);
        Assert.All(
            (string[])["floor.dpdk.vhost", "driver.vhost", "rtt.vhost.32", "fault.read.vhost", "floor.dpdk.packet.32", "rtt.veth.32", "fault.read.packet"],
            name => Assert.True(names.Match(name), name));
    }

    [Fact]
    public void EveryComparisonIsWithAFigureThatIsMeasuredBefore()
    {
        var known = new HashSet<string>();
        foreach (BenchStep step in BenchCatalog.Steps)
        {
            if (step.Threads == 1) known.UnionWith(step.Names);
            foreach (string name in step.Names)
                Assert.True(step.Of(name) is not string of || known.Contains(of), $"{name} is compared with {step.Of(name)}, which comes later or never");
        }
    }

    [Theory]
    [InlineData("kernel.touch")]
    [InlineData("floor.pager")]
    [InlineData("floor.pager.write")]
    [InlineData("rtt.shm")]
    [InlineData("rtt.udp")]
    [InlineData("fault.read.shm")]
    [InlineData("fault.write.udp")]
    [InlineData("fault.mixed.shm")]
    [InlineData("scan.shm")]
    [InlineData("evict.write.shm")]
    [InlineData("memcpy")]
    [InlineData("heap.64")]
    [InlineData("alloc.named")]
    [InlineData("client.tryPin")]
    [InlineData("client.read")]
    [InlineData("peer.redis.get")]
    [InlineData("peer.memcached.get")]
    [InlineData("peer.zram.read")]
    [InlineData("curve.zipf.light.12.5")]
    public void NamesThatAreReadElsewhereStay(string name) => Assert.Contains(BenchCatalog.Steps, step => step.Names.Contains(name));
}
