/*
 * The SIGBUS handler of RUM_FAULT=inline: resolves a fault in the thread that took it. The engine (C#) has one driver at a time. A faulting thread
 * hands its fault in and drives the engine, or waits while another one does; whoever drives completes the faults of all. The pager thread carries
 * commands out, runs timers and takes over what lasts longer.
 *
 * What runs here is safe in any signal handler: no lock of the C library is taken. Managed code is entered only by threads that did so before, or from
 * where that is safe; the faults of all others are left to the pager thread. docs/adr/0100.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "fault.h"
#include "shared.h"

enum { PAGE = 4096, REGIONS_MAX = 1 << 20, HANDLERS_MAX = 8, REPEATS_MAX = 1000 };
enum { SPIN_NS = 5000, SPIN_LOOKS = 64, YIELD_TAKEN_NS = 1000, SHARED_SPIN_NS = 50000, NO_ROOM_NS = 50000, TELL_NS = 1000000, TELL_LOOKS = 2000 };
enum { PAGE_FAULT_PRESENT = 1 };

static struct rum_faults faults = {.size = sizeof faults, .event = -1, .userfaultfd = -1};
__thread int rum_inside;

/* Whether this thread drives the engine. */
static __thread int driving;

/* Whether this thread's last sched_yield let somebody else run: the driver, or the silo that it waits for, may need this very CPU. */
static __thread int shares_cpu;

/* The page that faulted last although it was there, and how often. */
static __thread uintptr_t repeated_page;
static __thread int repeats;

/* The addresses of the regions, sorted; version is odd while they change. */
static struct { uintptr_t start, end; } *regions;
static _Atomic size_t region_count;
static _Atomic uint32_t region_version;

/* Whose handlers were there before, the oldest first. */
static struct sigaction earlier[HANDLERS_MAX];
static atomic_int earlier_count;
static atomic_int installing;

/* Where the signal that is being passed on has got to: a handler that passes it back gets to the one before it. */
static __thread int passed_level;

static long futex(uint32_t *word, int operation, uint32_t value, const struct timespec *timeout)
{
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pause_ns(long ns)
{
    struct timespec t = {0, ns};
    nanosleep(&t, NULL);
}

static void kick_pager(void)
{
    uint64_t one = 1;
    if (__atomic_load_n(&faults.pager, __ATOMIC_SEQ_CST) != PAGER_AWAKE && write(faults.event, &one, sizeof one) < 0) return; /* full: it will come */
}

/* The regions. Changed by who drives the engine, read by anybody at any moment. */

static int change_region(uintptr_t start, uint64_t bytes, int add)
{
    size_t count = region_count, at = 0;
    while (at < count && regions[at].start < start) at++;
    if (add && count == REGIONS_MAX) return 0;
    atomic_fetch_add(&region_version, 1);
    if (add) {
        memmove(&regions[at + 1], &regions[at], (count - at) * sizeof *regions);
        regions[at].start = start;
        regions[at].end = start + bytes;
        region_count = count + 1;
    } else if (at < count && regions[at].start == start) {
        memmove(&regions[at], &regions[at + 1], (count - at - 1) * sizeof *regions);
        region_count = count - 1;
    }
    atomic_fetch_add(&region_version, 1);
    return 1;
}

static int is_remote(uintptr_t address)
{
    for (;;) {
        uint32_t version = atomic_load(&region_version);
        if (version & 1) continue;
        size_t low = 0, high = region_count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (regions[middle].start <= address) low = middle + 1;
            else high = middle;
        }
        int found = low > 0 && address < regions[low - 1].end;
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load(&region_version) == version) return found;
    }
}

/* The engine. */

static int enter(void)
{
    uint32_t nobody = 0;
    if (__atomic_load_n(&faults.engine, __ATOMIC_RELAXED) != 0) return 0;
    if (!__atomic_compare_exchange_n(&faults.engine, &nobody, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) return 0;
    driving = 1;
    return 1;
}

/*
 * Gives the engine away. Of the others who wait one is made the driver: one that looks at the engine by itself, else one that sleeps is woken, else
 * the pager thread is. Pairs with the looks at faults.engine that follow a thread's push and its change to SLEEPING, all sequentially consistent: of two who
 * miss each other at least one sees the other.
 */
static void leave(int what)
{
    struct rum_fault *successor = NULL;
    int somebody = 0, pressing = 0;
    for (struct rum_fault *f = faults.waiting; f != NULL; f = f->next) {
        if ((f->flags & (FAULT_ABLE | FAULT_TIRED)) != FAULT_ABLE) {
            pressing = 1;
            continue;
        }
        if (somebody) continue;
        uint32_t sleeping = FAULT_SLEEPING;
        if (__atomic_compare_exchange_n(&f->state, &sleeping, FAULT_DRIVE, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) successor = f;
        somebody = 1;
    }
    driving = 0;
    __atomic_store_n(&faults.engine, 0, __ATOMIC_SEQ_CST);
    if (successor != NULL) futex(&successor->state, FUTEX_WAKE, 1, NULL);
    if (what == LEAVE_PAGER) return;
    int watches = __atomic_load_n(&faults.pager, __ATOMIC_SEQ_CST) >= PAGER_WATCHES;
    if (pressing || __atomic_load_n(&faults.pager_wants, __ATOMIC_SEQ_CST) || (what == LEAVE_STEPS && watches)) kick_pager();
}

static void wake(struct rum_fault *fault) { futex(&fault->state, FUTEX_WAKE, 1, NULL); }

static int is_over(uint32_t state) { return state >= FAULT_ARRIVED && state <= FAULT_FAILED; }

/* Waits a little, looking; then asleep until the state changes. Returns 1 when the engine was entered. */
static int wait_for(struct rum_fault *f, int may_drive)
{
    uint64_t start = now_ns(), now;
    do {
        for (int i = shares_cpu ? SPIN_LOOKS - 1 : 0; i < SPIN_LOOKS; i++) {
            if (__atomic_load_n(&f->state, __ATOMIC_ACQUIRE) != FAULT_WAITING) return 0;
            if (may_drive && enter()) return 1;
            __builtin_ia32_pause();
        }
        uint64_t before = now_ns();
        sched_yield();
        now = now_ns();
        shares_cpu = now - before > YIELD_TAKEN_NS;
    } while (now - start < (shares_cpu ? SHARED_SPIN_NS : SPIN_NS));
    uint32_t waiting = FAULT_WAITING, sleeping = FAULT_SLEEPING;
    if (!__atomic_compare_exchange_n(&f->state, &waiting, FAULT_SLEEPING, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return 0;
    int drives = may_drive && enter();
    if (!drives) futex(&f->state, FUTEX_WAIT, FAULT_SLEEPING, NULL);
    __atomic_compare_exchange_n(&f->state, &sleeping, FAULT_WAITING, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return drives;
}

/*
 * Whether a thread that was never in managed code may enter it now: it then allocates and takes the loader's lock. Not if it may be inside a signal
 * handler, which can have interrupted malloc: such a one runs with its signal blocked, or on a stack of its own (which would be too small, too).
 */
static int is_settled(const ucontext_t *context)
{
    static const uint64_t synchronous = 1ull << (SIGBUS - 1) | 1ull << (SIGSEGV - 1) | 1ull << (SIGFPE - 1) | 1ull << (SIGILL - 1) | 1ull << (SIGTRAP - 1) | 1ull << (SIGPIPE - 1);
    uint64_t blocked;
    memcpy(&blocked, &context->uc_sigmask, sizeof blocked); /* the kernel's is 64 bits long */
    return (blocked & ~synchronous) == 0;
}

static int is_on_own_stack(const ucontext_t *context)
{
    uintptr_t stack = (uintptr_t)context->uc_stack.ss_sp, at = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    return !(context->uc_stack.ss_flags & SS_DISABLE) && at - stack < context->uc_stack.ss_size;
}

static int may_enter_managed(const ucontext_t *context)
{
    if (rum_inside > 0 || is_on_own_stack(context)) return 0;
    return rum_thread_block(is_settled(context)) != NULL;
}

/* The engine itself read a page that the program gave to the kernel by madvise: it reads as zeros, as that call promises. */
static int give_zeros(uintptr_t page)
{
    struct uffdio_zeropage zero = {.range = {.start = page, .len = PAGE}};
    while (ioctl(faults.userfaultfd, UFFDIO_ZEROPAGE, &zero) != 0) {
        if (errno == EEXIST) break;
        if (errno != EAGAIN) return 0;
    }
    return 1;
}

/* A page that is there and faults all the same would go on for ever. */
static int repeats_itself(uintptr_t page)
{
    static const char words[] = "rum: an access faults again and again although its page is there; it ends in SIGBUS\n";
    if (page != repeated_page) {
        repeated_page = page;
        repeats = 0;
    }
    if (++repeats < REPEATS_MAX) return 0;
    repeats = 0;
    return write(STDERR_FILENO, words, sizeof words - 1) >= 0 || errno != 0;
}

static void refuse(void)
{
    for (struct rum_fault *f = __atomic_exchange_n(&faults.submitted, NULL, __ATOMIC_SEQ_CST), *next; f != NULL; f = next) {
        next = f->next;
        __atomic_store_n(&f->state, FAULT_AGAIN, __ATOMIC_SEQ_CST);
        wake(f);
    }
}

/* 0: the access must fail. */
static int resolve(uintptr_t page, const ucontext_t *context)
{
    if (driving) return give_zeros(page) && !repeats_itself(page);
    while (__atomic_load_n(&faults.frozen, __ATOMIC_ACQUIRE)) pause();
    struct rum_fault f = {.page = page, .state = FAULT_WAITING};
    int able = may_enter_managed(context);
    if (able) f.flags |= FAULT_ABLE;
    if (context->uc_mcontext.gregs[REG_ERR] & PAGE_FAULT_PRESENT) f.flags |= FAULT_PROTECTED;
    int may_drive = able && enter();
    f.next = __atomic_load_n(&faults.submitted, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&faults.submitted, &f.next, &f, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {}
    if (__atomic_load_n(&faults.closed, __ATOMIC_SEQ_CST)) refuse();
    if (!able) kick_pager();
    int drives = may_drive;
    for (;;) {
        if (drives) {
            __atomic_fetch_add(&faults.drives, 1, __ATOMIC_RELAXED);
            rum_inside++;
            int left = rum_managed_fault(&f);
            rum_inside--;
            if (!is_over(__atomic_load_n(&f.state, __ATOMIC_ACQUIRE))) f.flags |= FAULT_TIRED;
            leave(left);
        }
        uint32_t state = __atomic_load_n(&f.state, __ATOMIC_ACQUIRE);
        if (is_over(state)) break;
        if (state == FAULT_DRIVE) {
            uint32_t drive = FAULT_DRIVE;
            __atomic_compare_exchange_n(&f.state, &drive, FAULT_WAITING, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        }
        drives = wait_for(&f, able && !(f.flags & FAULT_TIRED));
    }
    switch (f.state) {
    case FAULT_ARRIVED:
        repeats = 0;
        return 1;
    case FAULT_NO_ROOM:
        pause_ns(NO_ROOM_NS);
        return 1;
    case FAULT_FAILED:
        /* The pager thread says why before the signal, passed on, ends the process. */
        for (int i = 0; i < TELL_LOOKS && __atomic_load_n(&faults.untold, __ATOMIC_ACQUIRE) > 0; i++) {
            kick_pager();
            pause_ns(TELL_NS);
        }
        return 0;
    default:
        return !repeats_itself(page);
    }
}

/* Whoever had the signal before us gets it as if we were not there. */
static void pass_on(int signal, siginfo_t *info, void *context, int passed_back)
{
    int level = (passed_back ? passed_level : atomic_load(&earlier_count)) - 1;
    const struct sigaction *action = level >= 0 ? &earlier[level] : NULL;
    passed_level = level;
    if (action == NULL || action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN) {
        if (action != NULL && action->sa_handler == SIG_IGN && info->si_code <= 0) return;
        struct sigaction plain = {.sa_handler = SIG_DFL};
        sigaction(signal, &plain, NULL);
        /* An access is made again and ends the process; a signal that somebody sent must be sent again. */
        if (info->si_code <= 0) syscall(SYS_tgkill, getpid(), gettid(), signal);
        return;
    }
    sigset_t mask = ((ucontext_t *)context)->uc_sigmask;
    uint64_t blocked, more;
    memcpy(&blocked, &mask, sizeof blocked);
    memcpy(&more, &action->sa_mask, sizeof more);
    blocked |= more;
    if (!(action->sa_flags & SA_NODEFER)) blocked |= 1ull << (signal - 1);
    sigemptyset(&mask);
    memcpy(&mask, &blocked, sizeof blocked);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (action->sa_flags & SA_SIGINFO) action->sa_sigaction(signal, info, context);
    else action->sa_handler(signal);
}

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
    int error = errno;
    uintptr_t address = (uintptr_t)info->si_addr;
    int ours = info->si_code == BUS_ADRERR && is_remote(address) && resolve(address & ~(uintptr_t)(PAGE - 1), context);
    /* The kernel calls with the context right above the return address (struct rt_sigframe); another handler with one that is further up. */
    if (!ours) pass_on(signal, info, context, (char *)context != (char *)__builtin_frame_address(0) + 2 * sizeof(void *));
    errno = error;
}

/* All but those that an instruction raises. */
static void asynchronous(sigset_t *signals)
{
    static const int synchronous[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigfillset(signals);
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++) sigdelset(signals, synchronous[i]);
}

/* In front of everybody: a runtime that was started since (and took the signal) keeps its place behind us. */
static void watch(void)
{
    struct sigaction there, mine = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGBUS, NULL, &there) != 0 || there.sa_sigaction == on_sigbus || atomic_exchange(&installing, 1)) return;
    int count = atomic_load(&earlier_count);
    if (count < HANDLERS_MAX) {
        earlier[count] = there;
        atomic_store(&earlier_count, count + 1);
        asynchronous(&mine.sa_mask);
        sigaction(SIGBUS, &mine, NULL);
    }
    atomic_store(&installing, 0);
}

static void quiet(void)
{
    /* But for the signal by which runtimes stop their threads. */
    sigset_t signals;
    asynchronous(&signals);
    sigdelset(&signals, SIGRTMIN);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static int start(int32_t userfaultfd)
{
    if (regions == NULL) {
        void *table = mmap(NULL, (REGIONS_MAX + 1) * sizeof *regions, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (table == MAP_FAILED) return errno;
        regions = table;
    }
    if (faults.event < 0) faults.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (faults.event < 0) return errno;
    faults.userfaultfd = userfaultfd;
    faults.pager = PAGER_AWAKE;
    faults.pager_wants = 0;
    faults.closed = 0;
    watch();
    return 0;
}

struct rum_faults *rum_faults_table(void)
{
    faults.start = start;
    faults.refuse = refuse;
    faults.watch = watch;
    faults.region = change_region;
    faults.enter = enter;
    faults.leave = leave;
    faults.wake = wake;
    faults.quiet = quiet;
    return &faults;
}
