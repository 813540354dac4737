/* What is special where faults are resolved in the faulting thread: RUM_FAULT=inline. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { MIB = 1 << 20, FAR_BYTES = 32 * MIB, FAR_PAGES = FAR_BYTES / PAGE };

static unsigned char *far_memory;
static sigjmp_buf jump;
static atomic_int caught, stop;

static void begin_far(void)
{
    CHECK(strcmp(getenv("RUM_FAULT"), "inline") == 0, "RUM_FAULT");
    begin();
    far_memory = rum_aligned_alloc(PAGE, FAR_BYTES);
    CHECK(far_memory != NULL, "rum_alloc");
    fill(far_memory, FAR_BYTES, 1);
}

static uint64_t word_of(size_t page) { return *(volatile uint64_t *)(far_memory + page * PAGE); }

static void check_page(size_t page) { CHECK(word_of(page) == mix(1 + page * PAGE / 8), "page %zu", page); }

/* Signals that are not for remote memory. */

static int status_of_child(void (*act)(void))
{
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        act();
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child, "waitpid");
    return status;
}

static volatile char *beyond_a_file(void)
{
    char path[] = "/tmp/rum-inline-XXXXXX";
    int file = mkstemp(path);
    unlink(path);
    CHECK(file >= 0 && ftruncate(file, PAGE) == 0, "%s", strerror(errno));
    volatile char *mapped = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(mapped != MAP_FAILED, "%s", strerror(errno));
    return mapped + PAGE;
}

static void touch_beyond_a_file(void) { *beyond_a_file() = 1; }

static void send_sigbus(void) { kill(getpid(), SIGBUS); }

static void use_from_a_process_of_its_own(void (*act)(void))
{
    begin_far();
    check_page(7);
    act();
}

static void use_and_touch(void) { use_from_a_process_of_its_own(touch_beyond_a_file); }

static void use_and_send(void) { use_from_a_process_of_its_own(send_sigbus); }

static void leaves_other_crashes_as_they_are(void)
{
    /* Before rum_init here: the children have RUM for themselves. */
    int touched = status_of_child(use_and_touch), sent = status_of_child(use_and_send);
    CHECK(WIFSIGNALED(touched) && WTERMSIG(touched) == SIGBUS, "touching beyond a file ended with %x", touched);
    CHECK(WIFSIGNALED(sent) && WTERMSIG(sent) == SIGBUS, "a signal that was sent ended with %x", sent);
}

static void on_bus(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    CHECK(info->si_code == BUS_ADRERR, "%d", info->si_code);
    caught++;
    siglongjmp(jump, 1);
}

static void provoke(volatile char *wrong, int expected)
{
    if (sigsetjmp(jump, 1) == 0) {
        *wrong = 1;
        CHECK(0, "nothing happened");
    }
    CHECK(caught == expected, "%d caught", (int)caught);
}

static void passes_signals_on(void)
{
    struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGBUS, &action, NULL) == 0, "sigaction");
    volatile char *wrong = beyond_a_file();
    begin_far();
    provoke(wrong, 1);
    for (size_t p = 0; p < FAR_PAGES; p += 3) check_page(p);
    /* One that comes later and takes the signal is put behind ours by the next call that maps memory. */
    CHECK(sigaction(SIGBUS, &action, NULL) == 0, "sigaction");
    void *segment = rum_alloc_segment(MIB, NULL, NULL, 0);
    CHECK(segment != NULL, "rum_alloc_segment");
    for (size_t p = 1; p < FAR_PAGES; p += 3) check_page(p);
    provoke(wrong, 2);
    CHECK(rum_free(segment) == 0, "rum_free");
    finish();
}

/* System calls. */

static void pins_for_system_calls(void)
{
    begin_far();
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    int ends[2];
    char back[PAGE];
    CHECK(pipe(ends) == 0, "%s", strerror(errno));
    CHECK(write(ends[1], far_memory, PAGE) == -1 && errno == EFAULT, "a system call on a missing page: %s", strerror(errno));
    CHECK(rum_pin(far_memory, 2 * PAGE) == 0, "rum_pin");
    CHECK(write(ends[1], far_memory, PAGE) == PAGE, "write: %s", strerror(errno));
    CHECK(read(ends[0], far_memory + PAGE, PAGE) == PAGE, "read: %s", strerror(errno));
    memcpy(back, far_memory + PAGE, PAGE);
    verify(back, PAGE, 1);
    CHECK(rum_unpin(far_memory, 2 * PAGE) == 0, "rum_unpin");
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    verify(far_memory + PAGE, PAGE, 1);
    finish();
}

static void *read_pipe(void *argument)
{
    char byte = 0;
    ssize_t got = read(*(int *)argument, &byte, 1);
    return (void *)(intptr_t)(got == 1 ? byte : -errno);
}

static void leaves_blocked_threads_alone(void)
{
    begin_far();
    int ends[2];
    CHECK(pipe(ends) == 0, "%s", strerror(errno));
    pthread_t blocked;
    pthread_create(&blocked, NULL, read_pipe, &ends[0]);
    for (size_t p = 0; p < FAR_PAGES; p++) check_page(p);
    CHECK(write(ends[1], "x", 1) == 1, "%s", strerror(errno));
    void *result;
    pthread_join(blocked, &result);
    CHECK((intptr_t)result == 'x', "%ld", (long)(intptr_t)result);
    finish();
}

/* Signal handlers that touch remote memory, whatever they interrupt. */

static _Thread_local size_t handler_page;
static atomic_long handled;

static void on_alarm(int signal)
{
    (void)signal;
    int error = errno;
    handler_page = (handler_page + 97) % FAR_PAGES;
    if (word_of(handler_page) != mix(1 + handler_page * PAGE / 8)) _exit(77);
    handled++;
    errno = error;
}

static void *allocate_and_touch(void *touches)
{
    uint64_t state = 3;
    while (!stop) {
        for (int i = 0; i < 200; i++) free(malloc(1 + mix(state++) % 5000));
        if (touches != NULL) check_page(mix(state++) % FAR_PAGES);
    }
    return NULL;
}

static void serves_signal_handlers(void)
{
    begin_far();
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    /* One thread that faults elsewhere too, and one that only its handler lets fault. */
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, allocate_and_touch, &threads);
    pthread_create(&threads[1], NULL, allocate_and_touch, NULL);
    double end = now_s() + 60;
    for (int i = 0; handled < 2000 && now_s() < end; i++) {
        pthread_kill(threads[i % 2], SIGUSR1);
        usleep(100);
    }
    stop = 1;
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK(handled >= 2000, "%ld signals were handled", (long)handled);
    finish();
}

static pthread_key_t key;

static void touch_at_the_end(void *page) { check_page((size_t)page); }

static void *touch_and_end(void *page)
{
    pthread_setspecific(key, page);
    check_page((size_t)page - 1);
    return NULL;
}

static void serves_ending_threads(void)
{
    begin_far();
    CHECK(pthread_key_create(&key, touch_at_the_end) == 0, "pthread_key_create");
    for (size_t i = 1; i < 200; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, touch_and_end, (void *)(i * 41)) == 0, "pthread_create");
        pthread_join(thread, NULL);
    }
    finish();
}

static void *block_signals_and_check(void *unused)
{
    (void)unused;
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (size_t p = 0; p < FAR_PAGES; p += 5) check_page(p);
    return NULL;
}

static void serves_threads_that_block_signals(void)
{
    begin_far();
    pthread_t thread;
    pthread_create(&thread, NULL, block_signals_and_check, NULL);
    for (size_t p = 0; p < FAR_PAGES; p += 3) check_page(p);
    pthread_join(thread, NULL);
    finish();
}

/* A fork, pages that the program takes away itself, and the counters. */

static void touch_far(void) { far_memory[3 * PAGE] = 1; }

static void children_have_none_of_it(void)
{
    begin_far();
    int status = status_of_child(touch_far);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "the child ended with %x", status);
    for (size_t p = 0; p < FAR_PAGES; p += 3) check_page(p);
    finish();
}

static void reads_zeros_where_it_dropped_pages(void)
{
    begin_far();
    for (size_t p = FAR_PAGES - 400; p < FAR_PAGES; p++) far_memory[p * PAGE] = 1;
    /* Pages that are resident and dirty: gone under the engine, which looks at some of them before they are touched again. */
    CHECK(madvise(far_memory + (FAR_PAGES - 400ul) * PAGE, 200 * PAGE, MADV_DONTNEED) == 0, "%s", strerror(errno));
    for (size_t p = 0; p < FAR_PAGES / 2; p++) check_page(p);
    for (size_t p = FAR_PAGES - 400; p < FAR_PAGES - 200; p++) (void)word_of(p);
    for (size_t p = FAR_PAGES / 2; p < FAR_PAGES - 400; p++) check_page(p);
    finish();
}

static void counts_as_ever(void)
{
    begin_far();
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    long long faults = stat_of("pager", "faults"), fetched = stat_of("pager", "pages_fetched");
    uint64_t state = 1;
    long long touches = 0;
    for (int i = 0; i < 5000; i++) {
        /* Far apart, so that nothing is fetched ahead. */
        check_page(mix(state++) % FAR_PAGES);
        touches++;
    }
    faults = stat_of("pager", "faults") - faults;
    fetched = stat_of("pager", "pages_fetched") - fetched;
    CHECK(faults > touches / 2 && faults <= touches, "%lld faults", faults);
    CHECK(fetched >= faults, "%lld pages fetched by %lld faults", fetched, faults);
    CHECK(stat_of("pager", "faults_waiting") == 0, "%lld", stat_of("pager", "faults_waiting"));
    CHECK(stat_of("pager", "resident_bytes") <= stat_of("pager", "cache_bytes"), "%lld", stat_of("pager", "resident_bytes"));
    CHECK(stat_of("pager", "evictions") > 0 && stat_of("pager", "write_backs") > 0, "no eviction");
    finish();
}

static const struct test tests[] = {
    {"leaves_other_crashes_as_they_are", leaves_other_crashes_as_they_are}, {"passes_signals_on", passes_signals_on},
    {"pins_for_system_calls", pins_for_system_calls}, {"leaves_blocked_threads_alone", leaves_blocked_threads_alone},
    {"serves_signal_handlers", serves_signal_handlers}, {"serves_ending_threads", serves_ending_threads},
    {"serves_threads_that_block_signals", serves_threads_that_block_signals}, {"children_have_none_of_it", children_have_none_of_it},
    {"reads_zeros_where_it_dropped_pages", reads_zeros_where_it_dropped_pages}, {"counts_as_ever", counts_as_ever},
};

int main(int argc, char **argv) { return RUN(tests); }
