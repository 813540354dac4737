using Rum.Core.Council;
using Rum.Silo;

namespace Rum.Grains.Placement;

/// <summary>
/// Passes on to the council which silos Orleans takes for dead, as a hint: RUM's own detector listens to them more closely, and it alone decides. One caller at a time.
/// </summary>
internal sealed class SiloHints(SiloNode node, GrainCouncil council, IClusterMembershipService membership)
{
    // A silo of Orleans' membership has an address of its own each time it starts; those of the past stay in the table.
    private HashSet<SiloAddress> _told = [];

    /// <summary>Passes on who was declared dead since the last look, whether by this silo or another.</summary>
    public async Task LookAsync()
    {
        ClusterMember[] members = [.. membership.CurrentSnapshot.Members.Values];
        HashSet<string> alive = [.. members.Where(m => m.Status is not (SiloStatus.Dead or SiloStatus.None)).Select(m => m.Name)];
        var dead = new HashSet<SiloAddress>();
        foreach (ClusterMember member in members)
        {
            if (member.Status != SiloStatus.Dead) continue;
            dead.Add(member.SiloAddress);
            // One that has started anew meanwhile, or whose host rejoined, lives under another address.
            if (!_told.Contains(member.SiloAddress) && !alive.Contains(member.Name)) await DoubtAsync(member.Name);
        }
        _told = dead;
    }

    /// <summary>Somebody has reason to think that a silo is dead. Whether the council hears of it or not, its own detector goes on.</summary>
    public async Task DoubtAsync(string name)
    {
        if (node.Membership.Map is not { } map) return;
        foreach (Member member in map.View.Members)
        {
            if (member.Name == name && member.State is MemberState.Up or MemberState.Draining && member.Id != node.Membership.Id)
                await council.AskAsync(new DoubtSilo(member.Id, member.Incarnation));
        }
    }
}
