using Rum.Core;
using Rum.Core.Council;
using Rum.FastPath.Server;

namespace Rum.Tests.Unit.FastPath;

public sealed class ControlMemoryTests
{
    private static readonly CommandAnswer Done = new(RumError.None, "", 1, 1, new Result(RumError.None, "", 1));

    private static ControlRequest Request(uint counter, byte content = 0, ulong session = 0) => new(default, session, 0, counter, [1, 2, content]);

    [Fact]
    public void A_resend_waits_for_the_answer_and_then_gets_it_again()
    {
        var memory = new ControlMemory();
        ControlRequest first = Request(1);
        Assert.True(memory.TryBegin(first, out _));
        Assert.False(memory.TryBegin(Request(1), out CouncilAnswer? known));
        Assert.Null(known);
        memory.End(first, Done);
        Assert.False(memory.TryBegin(Request(1), out known));
        Assert.Same(Done, known);
    }

    [Fact]
    public void What_could_not_be_carried_is_carried_when_it_comes_again()
    {
        var memory = new ControlMemory();
        ControlRequest first = Request(1);
        Assert.True(memory.TryBegin(first, out _));
        memory.End(first, null);
        Assert.True(memory.TryBegin(Request(1), out _));
    }

    [Fact]
    public void Another_process_at_the_same_port_is_not_mistaken_for_the_first()
    {
        var memory = new ControlMemory();
        ControlRequest first = Request(1, content: 1);
        Assert.True(memory.TryBegin(first, out _));
        ControlRequest second = Request(1, content: 2);
        Assert.True(memory.TryBegin(second, out _));
        memory.End(first, Done);
        Assert.False(memory.TryBegin(Request(1, content: 2), out CouncilAnswer? known));
        Assert.Null(known);
    }

    [Fact]
    public void A_session_that_asks_anew_says_the_same_and_an_operator_may_mean_it_twice()
    {
        var memory = new ControlMemory();
        ControlRequest first = Request(1, session: 7);
        Assert.True(memory.TryBegin(first, out _));
        memory.End(first, Done);
        Assert.False(memory.TryBegin(Request(2, session: 7), out CouncilAnswer? known));
        Assert.Same(Done, known);
        Assert.True(memory.TryBegin(Request(1), out _));
        Assert.True(memory.TryBegin(Request(2), out _));
    }

    [Fact]
    public void It_forgets_the_oldest_answers()
    {
        var memory = new ControlMemory();
        for (uint i = 0; i <= ControlMemory.AnswersMax; i++)
        {
            ControlRequest request = Request(i);
            Assert.True(memory.TryBegin(request, out _));
            memory.End(request, Done);
        }
        Assert.False(memory.TryBegin(Request(1), out _));
        Assert.True(memory.TryBegin(Request(0), out _));
    }
}
