using Rum.Core;
using Rum.Core.Council;

namespace Rum.Silo.Council;

/// <content>
/// What becomes of silence: the leader's detector only proposes; the decree decides. Looked at anew for each decree instead of queued, so that nothing is lost when
/// another member leads, and nothing is said twice.
/// </content>
public sealed partial class CouncilLeader
{
    // What was looked at last, and whether it is to be looked at again although no view has changed.
    private ulong _doubtedView = ulong.MaxValue;
    private bool _doubtAgain;

    private void ProposeDoubts()
    {
        if (!_doubtAgain && _doubtedView == _machine.ViewDecree) return;
        _doubtAgain = false;
        _doubtedView = _machine.ViewDecree;
        foreach (Member member in _machine.View.Members)
        {
            switch (member.State)
            {
                case MemberState.Up or MemberState.Draining when _silence.IsSilent(member.Id) && SharesShards(member.Id):
                    _proposals.Add(new Proposal(default, new Suspect(member.Id, member.Incarnation)));
                    // Until it is decided: there may be more proposals than go into one decree.
                    _doubtAgain = true;
                    break;
                case MemberState.Silent when member.Id == OwnSilo || _silence.IsHeard(member.Id):
                    _proposals.Add(new Proposal(default, new Resume(member.Id, member.Incarnation)));
                    _doubtAgain = true;
                    break;
            }
        }
    }

    // Where others have copies they go on without it. Of what it alone holds there is nothing to decide.
    private bool SharesShards(SiloId silo)
    {
        foreach (ShardView shard in _machine.View.Shards)
        {
            if (shard.Replicas.Count < 2) continue;
            foreach (Replica replica in shard.Replicas)
            {
                if (replica.Silo == silo) return true;
            }
        }
        return false;
    }
}
