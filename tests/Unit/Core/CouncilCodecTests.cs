using Rum.Core;
using Rum.Core.Council;
using Rum.Core.Council.Codec;
using Rum.Core.Wire;

namespace Rum.Tests.Unit.Core;

public sealed class CouncilCodecTests
{
    private const int Rounds = 2000;
    private static readonly byte[] Buffer = new byte[AnswerCodec.BytesMax];

    [Fact]
    public void Requests_come_back_as_they_were_sent()
    {
        var random = new RandomCouncil(1);
        var seen = new HashSet<Type>();
        byte[] buffer = new byte[RequestCodec.BytesMax];
        for (int i = 0; i < Rounds; i++)
        {
            CouncilRequest request = random.Request();
            seen.Add((request as CommandRequest)?.Command.GetType() ?? request.GetType());
            int length = RequestCodec.Encode(buffer, request);
            Assert.True(length > 0);
            Assert.True(RequestCodec.TryDecode(buffer.AsSpan(0, length), out CouncilRequest? back), request.ToString());
            if (request is Audit audit) Assert.Equal(audit.Segments, Assert.IsType<Audit>(back).Segments);
            else if (request is AuditExtents extents) Assert.Equal(extents.Extents, Assert.IsType<AuditExtents>(back).Extents);
            else Assert.Equal(request, back);
            Assert.False(RequestCodec.TryDecode(buffer.AsSpan(0, length - 1), out _));
            Assert.False(RequestCodec.TryDecode(buffer.AsSpan(0, length + 1), out _));
            Assert.Equal(-1, RequestCodec.Encode(buffer.AsSpan(0, length - 1), request));
        }
        // 22 commands that travel, 13 queries.
        Assert.Equal(35, seen.Count);
    }

    [Fact]
    public void Leases_travel_in_batches_up_to_their_limit()
    {
        byte[] buffer = new byte[RequestCodec.BytesMax];
        SessionId[] sessions = [.. Enumerable.Range(1, LeaseMark.BatchMax).Select(i => new SessionId((ulong)i << 40))];
        LeaseMark[] marks = [.. sessions.Select(s => new LeaseMark(s, s.Value + 1))];
        int length = RequestCodec.Encode(buffer, new RenewLeases(sessions));
        Assert.True(RequestCodec.TryDecode(buffer.AsSpan(0, length), out CouncilRequest? renew));
        Assert.Equal(sessions, Assert.IsType<RenewLeases>(renew).Sessions);
        length = RequestCodec.Encode(buffer, new JudgeLeases(marks));
        Assert.True(RequestCodec.TryDecode(buffer.AsSpan(0, length), out CouncilRequest? judge));
        Assert.Equal(marks, Assert.IsType<JudgeLeases>(judge).Marks);
        Assert.False(RequestCodec.TryDecode(buffer.AsSpan(0, length - 1), out _));
        length = RequestCodec.Encode(buffer, new RenewLeases([.. sessions, new SessionId(1)]));
        Assert.False(RequestCodec.TryDecode(buffer.AsSpan(0, length), out _));
        var answer = new LeasesAnswer(RumError.None, "", 3, 2, [1, 0, ulong.MaxValue]);
        length = AnswerCodec.Encode(buffer, answer);
        Assert.True(AnswerCodec.TryDecode(buffer.AsSpan(0, length), out CouncilAnswer? back));
        Assert.Equal(answer.Counters, Assert.IsType<LeasesAnswer>(back).Counters);
    }

    [Fact]
    public void A_carried_command_says_so()
    {
        byte[] buffer = new byte[RequestCodec.BytesMax];
        var request = new CommandRequest(new RequestId(new SessionId(1), 2, 3), new Close(new SessionId(1), new SegmentId(4))) { Carried = true };
        int length = RequestCodec.Encode(buffer, request);
        Assert.True(RequestCodec.TryDecode(buffer.AsSpan(0, length), out CouncilRequest? back));
        Assert.Equal(request, back);
        Assert.NotEqual(request with { Carried = false }, back);
    }

    [Fact]
    public void Expiry_is_in_the_log_but_not_on_the_wire()
    {
        byte[] buffer = new byte[64];
        int length = RequestCodec.Encode(buffer, new CommandRequest(default, new Expire(new SessionId(1), 2)));
        Assert.False(RequestCodec.TryDecode(buffer.AsSpan(0, length), out _));
        var proposal = new Proposal(new RequestId(new SessionId(1), 2, 3), new Expire(new SessionId(1), 2));
        var writer = new SpanWriter(buffer);
        CommandCodec.Write(ref writer, proposal);
        var reader = new SpanReader(buffer.AsSpan(0, writer.Length));
        Assert.Equal(proposal, CommandCodec.ReadProposal(ref reader));
        Assert.Equal(0, reader.Remaining);
    }

    [Fact]
    public void Answers_come_back_as_they_were_sent()
    {
        var random = new RandomCouncil(2);
        byte[] first = new byte[1 << 17], second = new byte[1 << 17];
        for (int i = 0; i < Rounds; i++)
        {
            CouncilAnswer answer = random.Answer();
            int length = AnswerCodec.Encode(first, answer);
            Assert.True(length > 0);
            Assert.True(AnswerCodec.TryDecode(first.AsSpan(0, length), out CouncilAnswer? back), answer.ToString());
            Assert.Equal(answer.GetType(), back.GetType());
            Assert.Equal(length, AnswerCodec.Encode(second, back));
            Assert.True(first.AsSpan(0, length).SequenceEqual(second.AsSpan(0, length)));
            if (answer is CommandAnswer command) Assert.Equal(command, back);
            if (answer is ViewAnswer { View: { } view })
            {
                ClusterView other = ((ViewAnswer)back).View!;
                Assert.Equal(view.Members, other.Members);
                Assert.Equal((view.ClusterId, view.Generation, view.Decree, view.RingShards), (other.ClusterId, other.Generation, other.Decree, other.RingShards));
                for (int s = 0; s < view.Shards.Count; s++)
                {
                    Assert.Equal((view.Shards[s].Epoch, view.Shards[s].State), (other.Shards[s].Epoch, other.Shards[s].State));
                    Assert.Equal(view.Shards[s].Replicas, other.Shards[s].Replicas);
                }
            }
            if (answer is DropsAnswer drops) Assert.Equal(drops.Drops, ((DropsAnswer)back).Drops);
            if (answer is StatusAnswer status) Assert.Equal(status.Status.Members, ((StatusAnswer)back).Status.Members);
        }
    }

    [Fact]
    public void A_view_of_4096_shards_is_compact()
    {
        var council = new CouncilBench(Layout.DefaultShardCount);
        for (int i = 0; i < 16; i++) council.Join($"10.0.0.{i}", 1L << 36);
        int length = AnswerCodec.Encode(Buffer, new ViewAnswer(RumError.None, "", 1, 1, council.View));
        Assert.InRange(length, 1, 16 << 10);
    }

    [Fact]
    public void Random_bytes_are_refused_without_a_throw_or_a_big_allocation()
    {
        var random = new Random(3);
        byte[] bytes = new byte[96];
        long before = GC.GetAllocatedBytesForCurrentThread();
        const int Inputs = 500_000;
        for (int i = 0; i < Inputs; i++)
        {
            Span<byte> input = bytes.AsSpan(0, random.Next(bytes.Length));
            random.NextBytes(input);
            // Else hardly any input gets past its kind.
            if (input.Length > 0) input[0] %= 23;
            RequestCodec.TryDecode(input, out _);
            AnswerCodec.TryDecode(input, out _);
        }
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / Inputs, 0, 2048);
    }

    [Fact]
    public void Damaged_messages_never_throw_and_what_decodes_encodes_again()
    {
        var random = new Random(4);
        var council = new RandomCouncil(5);
        byte[] again = new byte[1 << 18];
        for (int i = 0; i < 300; i++)
        {
            byte[] answer = new byte[1 << 14];
            int length = AnswerCodec.Encode(answer, council.Answer());
            if (length < 0) continue;
            for (int damage = 0; damage < 60; damage++)
            {
                byte[] bad = answer.AsSpan(0, length).ToArray();
                for (int hits = random.Next(1, 4); hits > 0; hits--) bad[random.Next(length)] = (byte)random.Next(256);
                if (AnswerCodec.TryDecode(bad.AsSpan(0, random.Next(4) == 0 ? random.Next(length) : length), out CouncilAnswer? decoded))
                {
                    Assert.True(AnswerCodec.Encode(again, decoded) > 0);
                }
            }
        }
    }

    [Fact]
    public void A_count_that_the_bytes_cant_hold_is_refused()
    {
        byte[] bytes = new byte[64];
        int length = AnswerCodec.Encode(bytes, new DropsAnswer(RumError.None, "", 1, 1, [], false));
        Assert.True(AnswerCodec.TryDecode(bytes.AsSpan(0, length), out _));
        bytes.AsSpan(length - 5, 4).Fill(0xFF);
        Assert.False(AnswerCodec.TryDecode(bytes.AsSpan(0, length), out _));
    }

    [Fact]
    public void Variable_numbers_have_one_form()
    {
        byte[] bytes = new byte[16];
        foreach (ulong value in (ulong[])[0, 1, 127, 128, 16383, 16384, uint.MaxValue, 1UL << 63, ulong.MaxValue])
        {
            var writer = new SpanWriter(bytes);
            writer.Var(value);
            var reader = new SpanReader(bytes.AsSpan(0, writer.Length));
            Assert.Equal(value, reader.Var());
            Assert.False(reader.Failed);
        }
        foreach (byte[] bad in (byte[][])[[0x80, 0], [0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2]])
        {
            var reader = new SpanReader(bad);
            reader.Var();
            Assert.True(reader.Failed);
        }
    }
}
