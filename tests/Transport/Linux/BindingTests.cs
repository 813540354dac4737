using System.Runtime.CompilerServices;
using Rum.FastPath.Linux;

namespace Rum.Transport.Tests.Linux;

public sealed unsafe class BindingTests
{
    [Fact]
    public void Structures_have_the_sizes_of_the_C_library() => Assert.Equal(
        (16, 56, 64, 16, 16, 28, 110, 12, 8, 16, 12, 144),
        (sizeof(iovec), sizeof(msghdr), sizeof(mmsghdr), sizeof(cmsghdr), sizeof(sockaddr_in), sizeof(sockaddr_in6), sizeof(sockaddr_un), sizeof(ucred),
            sizeof(pollfd), sizeof(timespec), sizeof(epoll_event), sizeof(stat_t)));

    [Fact]
    public void An_error_names_its_call_what_it_was_about_and_errno()
    {
        ErrnoException bad = Assert.Throws<ErrnoException>(() => ErrnoException.Check(Descriptors.close(-1), "close", "no descriptor"));
        Assert.Equal(("close", 9), (bad.Call, bad.Number));
        Assert.Contains("close (no descriptor) failed: Bad file descriptor (errno 9)", bad.Message);
    }

    [Fact]
    public void A_descriptor_travels_over_a_unix_socket()
    {
        int* ends = stackalloc int[2];
        ErrnoException.Check(Sockets.socketpair(Sockets.AF_UNIX, Sockets.SOCK_SEQPACKET | Sockets.SOCK_CLOEXEC, 0, ends), "socketpair");
        using var left = new FileDescriptor(ends[0], "socketpair");
        using var right = new FileDescriptor(ends[1], "socketpair");
        using var sent = new FileDescriptor(Descriptors.eventfd(41, Descriptors.EFD_NONBLOCK | Descriptors.EFD_CLOEXEC), "eventfd");
        Assert.True(UnixSocket.TrySendDescriptor(left.Value, [7], sent.Value));
        byte[] data = new byte[4];
        Assert.Equal(1, UnixSocket.ReceiveDescriptor(right.Value, data, out int arrived));
        using var received = new FileDescriptor(arrived, "recvmsg");
        ulong value;
        Assert.Equal(8, Descriptors.read(received.Value, &value, 8));
        Assert.Equal((7, 41ul), (data[0], value));
        Assert.Equal(Descriptors.geteuid(), UnixSocket.PeerUser(left.Value));
    }

    [Fact]
    public void A_thread_can_be_bound_to_a_cpu_it_is_allowed_on()
    {
        int[] cpus = [];
        int seen = -1;
        var thread = new Thread(() =>
        {
            cpus = Scheduling.AllowedCpus();
            Assert.True(Scheduling.TryPin(0, cpus[^1]));
            seen = Scheduling.sched_getcpu();
        });
        thread.Start();
        thread.Join();
        Assert.Equal(cpus[^1], seen);
        Assert.False(Scheduling.TryPin(0, Scheduling.CpusMax));
    }

    [Fact]
    public void A_thread_is_urgent_and_one_of_many_again()
    {
        int usual = 0, urgent = 0, again = 0;
        bool on = false, off = false;
        var thread = new Thread(() =>
        {
            usual = Scheduling.Nice;
            on = Scheduling.TrySetUrgent(true, usual);
            urgent = Scheduling.Nice;
            off = Scheduling.TrySetUrgent(false, usual);
            again = Scheduling.Nice;
        });
        thread.Start();
        thread.Join();
        Assert.True(on && off);
        Assert.Equal(usual, again);
        // Where this process may not have it, it keeps its own.
        Assert.Contains(urgent, new[] { usual, Math.Min(usual, Scheduling.UrgentNice) });
        if (Descriptors.geteuid() == 0 && usual > Scheduling.UrgentNice) Assert.Equal(Scheduling.UrgentNice, urgent);
    }

    [Fact]
    public void A_mapping_is_zeroed_and_writable()
    {
        using MemoryMapping mapping = MemoryMapping.Anonymous(3 * 4096);
        Assert.Equal(0, Unsafe.Read<int>(mapping.Pointer + 4096));
        mapping.Pointer[3 * 4096 - 1] = 1;
    }
}
