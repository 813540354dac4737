using Rum.Core;
using Rum.FastPath.Client;
using Rum.FastPath.Drivers.Simulated;
using Rum.FastPath.Server;

namespace Rum.Unit.FastPath;

public sealed class ControlClientTests
{
    private sealed class Echo : IControlSink
    {
        private readonly List<ControlRequest> _waiting = [];

        public Func<ControlRequest, (RumError Error, byte[] Payload)> Reply { get; set; } = r => (RumError.None, r.Payload);

        public int Seen { get; private set; }

        public Action<PageServer>? Asked { get; set; }

        public bool TryAccept(ControlRequest request)
        {
            Seen++;
            _waiting.Add(request);
            return true;
        }

        public void AnswerAll(PageServer server)
        {
            foreach (ControlRequest request in _waiting)
            {
                Asked?.Invoke(server);
                (RumError error, byte[] payload) = Reply(request);
                Assert.True(server.Answer(request, error, payload));
            }
            _waiting.Clear();
        }
    }

    private static ControlClient Client(Cluster cluster, Echo echo, ControlClientOptions? options = null)
    {
        SimulatedDriver driver = cluster.Network.CreateEndpoint();
        return new ControlClient(driver, [.. cluster.Drivers.Select(d => d.Address)], (options ?? new ControlClientOptions()) with
        {
            ClockNs = () => cluster.Network.NowNs,
            Wait = ns =>
            {
                foreach (PageServer server in cluster.Servers)
                {
                    server.Poll(cluster.Network.NowNs);
                    echo.AnswerAll(server);
                    server.Poll(cluster.Network.NowNs);
                }
                long next = Math.Max(cluster.Network.NextArrivalNs, cluster.Network.NowNs + 1);
                cluster.Network.AdvanceTo(Math.Min(next, cluster.Network.NowNs + ns));
            },
        });
    }

    [Theory]
    [InlineData(0, 0.0)]
    [InlineData(1, 0.0)]
    [InlineData(200_000, 0.0)]
    [InlineData(50_000, 0.1)]
    public void An_answer_of_any_size_comes_back_whole(int bytes, double loss)
    {
        var echo = new Echo();
        var link = new LinkSettings { Loss = loss, Duplication = loss, Reordering = loss, Corruption = loss };
        using var cluster = new Cluster(network: new SimulatedNetworkOptions { MaxPayload = 1344, Link = link }, sink: echo);
        using ControlClient client = Client(cluster, echo);
        var request = new byte[bytes];
        new Random(bytes).NextBytes(request);
        ControlReply reply = client.Call(new SessionId(4), request, TimeSpan.FromSeconds(100));
        Assert.Equal(RumError.None, reply.Error);
        Assert.Equal(request, reply.Payload);
    }

    [Fact]
    public void Who_belongs_to_a_cluster_says_so_and_takes_no_answer_of_another_but_refusals()
    {
        var echo = new Echo();
        uint said = 0;
        using var cluster = new Cluster(sink: echo);
        using ControlClient client = Client(cluster, echo);
        echo.Reply = request =>
        {
            said = request.Generation;
            return (RumError.None, [1]);
        };
        Assert.Equal(RumError.None, client.Call(new SessionId(4), [1], TimeSpan.FromSeconds(1)).Error);
        Assert.Equal(0u, said);
        client.Generation = Cluster.FrameGeneration;
        Assert.Equal(RumError.None, client.Call(new SessionId(4), [1], TimeSpan.FromSeconds(1)).Error);
        Assert.Equal(Cluster.FrameGeneration, said);
        client.Generation++;
        Assert.Equal(RumError.Unavailable, client.Call(new SessionId(4), [1], TimeSpan.FromSeconds(1)).Error);
        echo.Reply = _ => (RumError.SessionExpired, [2]);
        Assert.Equal(RumError.SessionExpired, client.Call(new SessionId(4), [1], TimeSpan.FromSeconds(1)).Error);
    }

    [Fact]
    public void Fragments_of_two_answers_are_not_joined()
    {
        bool resent = false;
        for (ulong seed = 1; seed <= 8; seed++)
        {
            byte fill = 0;
            var echo = new Echo();
            echo.Reply = _ =>
            {
                var answer = new byte[20_000];
                Array.Fill(answer, ++fill);
                return (RumError.None, answer);
            };
            var network = new SimulatedNetworkOptions { MaxPayload = 1344, Link = new LinkSettings { Loss = 0.05 } };
            using var cluster = new Cluster(seed: seed, network: network, sink: echo);
            using ControlClient client = Client(cluster, echo);
            ControlReply reply = client.Call(default, [1], TimeSpan.FromSeconds(100));
            Assert.Equal(RumError.None, reply.Error);
            Assert.Equal(-1, reply.Payload.AsSpan().IndexOfAnyExcept(reply.Payload[0]));
            resent |= fill > 1;
        }
        Assert.True(resent, "no seed lost a fragment");
    }

    [Fact]
    public void Nobody_there_is_Unavailable_at_the_deadline()
    {
        var echo = new Echo();
        using var cluster = new Cluster(sink: echo);
        using ControlClient client = Client(cluster, echo);
        cluster.Network.SetLink(2, 1, new LinkSettings { Loss = 1 });
        ControlReply reply = client.Call(default, [1, 2, 3], TimeSpan.FromSeconds(2));
        Assert.Equal(RumError.Unavailable, reply.Error);
        Assert.InRange(cluster.Network.NowNs, 2_000_000_000, 2_100_000_000);
        Assert.True(client.Resends > 3);
    }

    [Fact]
    public void Not_the_leader_sends_it_on()
    {
        var echo = new Echo();
        using var cluster = new Cluster(2, sink: echo);
        int asked = 0;
        echo.Reply = r => asked++ == 0 ? (RumError.NotLeader, []) : (RumError.None, r.Payload);
        using ControlClient client = Client(cluster, echo);
        Assert.Equal(RumError.None, client.Call(default, [9], TimeSpan.FromSeconds(2)).Error);
        Assert.Equal(cluster.Drivers[1].Address, client.Current);
    }

    /// <summary>Calls may be too short, beside the round trips of a busy silo, to try it three times: then the next call goes on where the last one ended.</summary>
    [Theory]
    [InlineData(1_000)]
    [InlineData(300)]
    [InlineData(50)]
    public void Who_was_slow_and_is_gone_is_turned_away_from_within_a_few_calls(int deadlineMs)
    {
        var echo = new Echo();
        using var cluster = new Cluster(2, sink: echo);
        using ControlClient client = Client(cluster, echo);
        // Slower and slower, so that nothing is sent again and all is measured.
        for (double delayNs = 2_000_000; delayNs < 300_000_000; delayNs *= 1.1)
        {
            cluster.Network.SetLink(3, 1, new LinkSettings { DelayNsMin = (long)delayNs, DelayNsMax = (long)delayNs });
            Assert.Equal(RumError.None, client.Call(default, [1], TimeSpan.FromSeconds(100)).Error);
        }
        Assert.Equal(cluster.Drivers[0].Address, client.Current);
        cluster.Network.SetLink(3, 1, new LinkSettings { Loss = 1 });
        int calls = 0;
        do
        {
            Assert.True(calls++ < 4, $"{calls - 1} calls of {deadlineMs} ms, and none reached the silo that answers");
        }
        while (client.Call(default, [2], TimeSpan.FromMilliseconds(deadlineMs)).Error != RumError.None);
        Assert.Equal(cluster.Drivers[1].Address, client.Current);
    }

    /// <summary>As a silo does that believes the leader to be where it asks itself.</summary>
    [Fact]
    public void Who_names_itself_and_does_not_lead_is_turned_away_from()
    {
        var echo = new Echo();
        using var cluster = new Cluster(2, sink: echo);
        PageServer? asked = null;
        echo.Reply = request => asked == cluster.Servers[0] ? (RumError.NotLeader, [0]) : (RumError.None, request.Payload);
        echo.Asked = server => asked = server;
        using ControlClient client = Client(cluster, echo, new ControlClientOptions { LeaderOf = answer => cluster.Drivers[answer[0]].Address });
        Assert.Equal(RumError.None, client.Call(default, [9], TimeSpan.FromSeconds(2)).Error);
        Assert.Equal(cluster.Drivers[1].Address, client.Current);
    }

    [Fact]
    public void Hello_tells_the_incarnation()
    {
        var echo = new Echo();
        using var cluster = new Cluster(views: false, sink: echo);
        using ControlClient client = Client(cluster, echo);
        ControlReply reply = client.Hello(TimeSpan.FromSeconds(1));
        Assert.Equal(RumError.None, reply.Error);
        Assert.Equal(cluster.Server.Incarnation, reply.Incarnation);
    }
}
