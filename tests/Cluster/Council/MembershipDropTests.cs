using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Server;
using Rum.Silo.Council;

namespace Rum.Cluster.Tests.Council;

/// <summary>A silo drops what the council says once, though the council, or an old leader of it, says it again: what was stored since is the next owner's.</summary>
public sealed class MembershipDropTests
{
    private static readonly SegmentId Segment = new(5);

    [Fact]
    public async Task What_was_dropped_and_stored_anew_is_not_dropped_again()
    {
        var council = new DeafCouncil();
        await MembershipBench.RunAsync(
            council,
            async (_, server) =>
            {
                await MembershipBench.UntilAsync(() => council.Confirmations >= 1, "the drop is carried out");
                Assert.False(await HasAsync(server));
                Assert.Equal(PageStatus.Ok, await StoreAsync(server, 2));
                int confirmed = council.Confirmations;
                await MembershipBench.UntilAsync(() => council.Confirmations >= confirmed + 2, "the drop is told again, twice");
                Assert.True(await HasAsync(server), "the drop was carried out again");
            },
            before: async server =>
            {
                await server.RunAsync(pool => pool.Fence(Segment, 1, sparse: false, out _));
                Assert.Equal(PageStatus.Ok, await StoreAsync(server, 1));
            });
    }

    private static unsafe Task<PageStatus> StoreAsync(PageServer server, ulong sequence) => server.RunAsync(pool =>
    {
        byte* image = stackalloc byte[Layout.PageSize];
        new Span<byte>(image, Layout.PageSize).Fill(7);
        return pool.Write(Segment, 3, new PageVersion(1, sequence), image, out _);
    });

    private static unsafe Task<bool> HasAsync(PageServer server) =>
        server.RunAsync(pool => pool.Read(Segment, 3, out byte* image, out _) == PageStatus.Ok && image != null);

    /// <summary>Names one drop for ever, because it hears no confirmation.</summary>
    private sealed class DeafCouncil : ICouncil
    {
        private int _confirmations;

        public int Confirmations => Volatile.Read(ref _confirmations);

        public bool LeadsHere => true;

        public Task<CouncilAnswer> AskAsync(CouncilRequest request, CancellationToken cancellation)
        {
            if (request is CommandRequest { Command: Dropped })
            {
                Interlocked.Increment(ref _confirmations);
                throw new CouncilUnreachableException("nobody answers");
            }
            return Task.FromResult(request switch
            {
                CommandRequest { Command: Join } => MembershipBench.Joined,
                SiloHeartbeat => new SiloHeartbeatAnswer(RumError.None, "", 0, 0, 1),
                GetDrops => new DropsAnswer(RumError.None, "", 0, 0, [new Drop(1, Segment, 0, 8, Freed: false, 0)], More: false),
                _ => new CouncilAnswer(RumError.None, "", 0, 0),
            });
        }
    }
}
