namespace Rum.Core.Council;

// Sessions: opened by nonce, ended once.
public sealed partial class CouncilMachine
{
    /// <summary>The lease of a session that asks for none.</summary>
    public const int DefaultLeaseMs = 10_000;

    /// <summary>The shortest lease; a session that asks for less gets this.</summary>
    public const int LeaseMsMin = 100;

    /// <summary>The longest lease; a session that asks for more gets this.</summary>
    public const int LeaseMsMax = 3_600_000;

    /// <summary>The longest name of anything, in characters.</summary>
    public const int NameMax = 255;

    private SessionResult Execute(OpenSession open)
    {
        if (open.Tenant.Length > NameMax || open.ClientName.Length > NameMax || open.LeaseMs < 0)
        {
            return new SessionResult(
                RumError.InvalidArgument, $"tenant and client name have at most {NameMax} characters, and a lease is not negative.", Decree, default, 0);
        }
        if (!_byNonce.TryGetValue(open.Nonce, out SessionRecord? session))
        {
            session = new SessionRecord
            {
                Id = new SessionId(_nextSession++),
                Nonce = open.Nonce,
                Tenant = open.Tenant,
                ClientName = open.ClientName,
                LeaseMs = open.LeaseMs == 0 ? DefaultLeaseMs : Math.Clamp(open.LeaseMs, LeaseMsMin, LeaseMsMax),
            };
            _byNonce.Add(open.Nonce, session);
            _sessions.Add(session.Id.Value, session);
        }
        return new SessionResult(RumError.None, "", Decree, session.Id, session.LeaseMs);
    }

    // A session that isn't there has ended before: asking twice changes nothing.
    private Result EndSession(SessionId id)
    {
        if (!_sessions.Remove(id.Value, out SessionRecord? session)) return Done();
        _byNonce.Remove(session.Nonce);
        foreach (ulong number in session.Segments)
        {
            SegmentRecord segment = _segments[number];
            if (segment.Owner == id) Destroy(segment);
            else Release(segment, id);
        }
        return Done();
    }

    private static void Release(SegmentRecord segment, SessionId session)
    {
        if (segment.Writer == session) segment.Writer = default;
        segment.Readers.Remove(session.Value);
    }
}
