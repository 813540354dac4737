using Rum.Core.Wire;

namespace Rum.Core.Council.Codec;

/// <summary>Results as bytes: a kind, error, message and decree, then the kind's own fields.</summary>
public static class ResultCodec
{
    private enum Kind : byte
    {
        Plain = 1,
        Session = 2,
        Join = 3,
        Segment = 4,
    }

    /// <summary>Writes a result.</summary>
    public static void Write(ref SpanWriter to, Result result)
    {
        to.U8((byte)(result switch
        {
            SessionResult => Kind.Session,
            JoinResult => Kind.Join,
            SegmentResult => Kind.Segment,
            _ => Kind.Plain,
        }));
        to.U16((ushort)result.Error);
        to.String(result.Message);
        to.U64(result.Decree);
        switch (result)
        {
            case SessionResult it:
                to.U64(it.Session.Value);
                to.U32((uint)it.LeaseMs);
                break;
            case JoinResult it:
                to.U16(it.Silo.Value);
                break;
            case SegmentResult it:
                to.U64(it.Segment.Value);
                to.U128(it.Key);
                to.I64(it.Size);
                to.U64(it.Token);
                to.U16(it.FirstShard.Value);
                to.U16((ushort)it.Flags);
                break;
        }
    }

    /// <summary>Reads a result; null when the bytes are none.</summary>
    public static Result? Read(ref SpanReader from)
    {
        var kind = (Kind)from.U8();
        var error = (RumError)from.U16();
        string message = from.String();
        ulong decree = from.U64();
        Result? result = kind switch
        {
            Kind.Plain => new Result(error, message, decree),
            Kind.Session => new SessionResult(error, message, decree, new SessionId(from.U64()), (int)from.U32()),
            Kind.Join => new JoinResult(error, message, decree, new SiloId(from.U16())),
            Kind.Segment => new SegmentResult(
                error, message, decree, new SegmentId(from.U64()), from.U128(), from.I64(), from.U64(), new ShardId(from.U16()), (SegmentFlags)from.U16()),
            _ => null,
        };
        if (result is null) from.Fail();
        return from.Failed ? null : result;
    }
}
