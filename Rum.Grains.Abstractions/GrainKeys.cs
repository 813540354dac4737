using System.Globalization;
using Rum.Core;

namespace Rum.Grains;

/// <summary>What the grains are called.</summary>
public static class GrainKeys
{
    private const string DoorPrefix = "open-";

    /// <summary>The grain of a segment: its key's 32 hex digits, or '#' and its number where it has no key.</summary>
    public static string OfSegment(SegmentKey key, SegmentId segment) =>
        key.IsAnonymous ? "#" + segment.Value.ToString(CultureInfo.InvariantCulture) : key.ToString();

    /// <summary>The grain of a session.</summary>
    public static string OfSession(ulong session) => session.ToString(CultureInfo.InvariantCulture);

    /// <summary>The door at which a nonce opens its session.</summary>
    public static string OfDoor(UInt128 nonce) => DoorPrefix + nonce.ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>Reads the key of a segment's grain: its key, or the number of anonymous memory.</summary>
    public static bool TryParseSegment(string grain, out SegmentKey key, out SegmentId segment)
    {
        segment = default;
        if (SegmentKey.TryParse(grain, out key)) return !key.IsAnonymous;
        if (!grain.StartsWith('#') || !ulong.TryParse(grain.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)) return false;
        segment = new SegmentId(number);
        return true;
    }

    /// <summary>Reads the key of a session's grain; false for a door.</summary>
    public static bool TryParseSession(string grain, out ulong session) =>
        ulong.TryParse(grain, NumberStyles.None, CultureInfo.InvariantCulture, out session);
}
