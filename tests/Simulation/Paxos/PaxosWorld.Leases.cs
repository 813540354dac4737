namespace Rum.Simulation.Paxos;

/// <content>Clients that hold sessions: each opens one, sends heartbeats to whoever answered it last, and now and then falls silent for good.</content>
internal sealed partial class PaxosWorld
{
    private const long HeartbeatNs = Chronicle.LeaseNs / 8;

    // Then another member may be the leader.
    private const long UnansweredNs = 2 * HeartbeatNs;

    // Sessions whose clients say nothing any more: each must end.
    private readonly HashSet<ulong> _abandoned = [];

    private void StartLeaseholder(int client)
    {
        ulong session = 0;
        long answered = 0;
        SimulatedMember? target = null;
        void Turn()
        {
            if (target is null || NowNs - answered > UnansweredNs) target = _members[Random.Next(_members.Count)];
            SimulatedMember asked = target;
            long sent = NowNs;
            if (session == 0)
            {
                asked.Ask(new Request(client, Request.Open, [], []), opened =>
                {
                    if (!_abandoned.Contains(opened) && !Chronicle.HasExpired(opened)) session = opened;
                });
            }
            else if (Random.Next(60) == 0)
            {
                _abandoned.Add(session);
                session = 0;
            }
            else
            {
                ulong its = session;
                asked.Beat(client, its, lives =>
                {
                    if (Random.NextDouble() < _loss) return;
                    (target, answered) = (asked, NowNs);
                    if (lives) Chronicle.Renewed(its, sent);
                    else if (session == its) session = 0;
                });
            }
            At(NowNs + Random.NextInt64(HeartbeatNs / 4, HeartbeatNs), Turn);
        }
        At(Random.NextInt64(1_000_000, 100_000_000), Turn);
    }
}
