/*
 * Silos that stall, end and come back, and users without privileges. Run against three silos: RUM_TEST_SILOS names them, RUM_TEST_PIDS are their
 * processes. Where the test's owner must act, the program prints "next" and waits for a line.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>

enum { PART = 12 << 20 };

static sigjmp_buf recover;

static volatile sig_atomic_t expecting;

static void on_fault(int number)
{
    if (expecting) siglongjmp(recover, 1);
    signal(number, SIG_DFL);
}

/* Before rum_init: where faults come as SIGBUS, the library's handler is in front and this one gets what can't be had. */
static void expect_bus_errors(void)
{
    struct sigaction action = {.sa_handler = on_fault};
    CHECK(sigaction(SIGBUS, &action, NULL) == 0, "%s", strerror(errno));
}

/* Whether a load ends in SIGBUS. What was read goes to value. */
static int bus_error(const volatile char *at, char *value)
{
    expecting = 1;
    int faulted = sigsetjmp(recover, 1);
    if (!faulted) *value = *at;
    expecting = 0;
    return faulted;
}

static const char *word_of(const char *variable, int index)
{
    static char words[3][64];
    const char *text = getenv(variable);
    CHECK(text != NULL && sscanf(text, "%63s %63s %63s", words[0], words[1], words[2]) == 3, "%s is not set", variable);
    return words[index];
}

static pid_t pid_of(int silo) { return (pid_t)atoi(word_of("RUM_TEST_PIDS", silo)); }

/* How many threads of a process go on. */
static int running_threads(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    CHECK(tasks != NULL, "%s: %s", path, strerror(errno));
    int running = 0;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (task->d_name[0] == '.') continue;
        char stat[512] = "";
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/stat", (int)pid, task->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL) continue; /* it has ended */
        size_t length = fread(stat, 1, sizeof stat - 1, file);
        fclose(file);
        /* The state follows the name, which may itself hold brackets. */
        const char *name_end = length == 0 ? NULL : strrchr(stat, ')');
        if (name_end != NULL && name_end[2] != 'T') running++;
    }
    closedir(tasks);
    return running;
}

/* kill returns when the signal is sent; the threads of the process go on until each has seen it. */
static void stall(pid_t pid)
{
    CHECK(kill(pid, SIGSTOP) == 0, "%s", strerror(errno));
    double start = now_s();
    while (running_threads(pid) != 0) CHECK(now_s() - start < 60, "%d threads of %d don't stop", running_threads(pid), (int)pid);
}

static Location at_silo(int silo)
{
    Location there;
    memset(&there, 0, sizeof there);
    strcpy((char *)there.ip_addr, word_of("RUM_TEST_SILOS", silo));
    return there;
}

static void next(void)
{
    char line[16];
    puts("next");
    fflush(stdout);
    CHECK(fgets(line, sizeof line, stdin) != NULL, "nobody went on");
}

static char *parts[3];
static volatile int stop;

static void allocate_parts(void)
{
    for (int i = 0; i < 3; i++) {
        parts[i] = rum_alloc_location(PART, at_silo(i));
        CHECK(parts[i] != NULL, "silo %d", i);
        fill(parts[i], PART, (uint64_t)i + 1);
    }
}

static void *dirty_the_stalled(void *unused)
{
    (void)unused;
    for (uint64_t n = 0; !stop; n++) ((volatile uint64_t *)parts[2])[mix(n) % (PART / PAGE) * (PAGE / 8)] = 7;
    return NULL;
}

/* Write-backs to one silo hold at most half of the slots: the pages of the others are faulted and evicted on. */
static void goes_on_beside_a_stalled_silo(void)
{
    begin();
    allocate_parts();
    CHECK(rum_flush(NULL, 0) == 0, "rum_flush");
    /* The cache full of dirty pages of the silo that is about to stall. */
    for (size_t at = 0; at < PART; at += PAGE) *(uint64_t *)(parts[2] + at) = 7;
    stall(pid_of(2));
    pthread_t thread;
    pthread_create(&thread, NULL, dirty_the_stalled, NULL);
    /* The stall lasts as long as this: an access that it holds up never ends. */
    double start_of_all = now_s(), longest = 0;
    uint64_t n = 0;
    for (; n < 5000; n++) {
        double start = now_s();
        uint64_t *word = (uint64_t *)(parts[mix(n) % 2] + mix(n + 99) % (PART / PAGE) * PAGE);
        if (n % 2 == 0) *word = n + 1;
        else CHECK(*word != 0, "a page of another silo reads as zeros");
        if (now_s() - start > longest) longest = now_s() - start;
    }
    stop = 1;
    CHECK(kill(pid_of(2), SIGCONT) == 0, "%s", strerror(errno));
    printf("%llu accesses beside the stalled silo in %.1f s, the longest took %.0f ms\n", (unsigned long long)n, now_s() - start_of_all, longest * 1e3);
    pthread_join(thread, NULL);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    for (size_t at = 0; at < PART; at += PAGE) CHECK(*(uint64_t *)(parts[2] + at) == 7, "page %zu of the stalled silo", at / PAGE);
    finish();
}

/* RUM_FAULT_TIMEOUT=4.5: the lower bound is what is promised, the upper one only says that it ends. */
static void gives_up_after_the_fault_timeout(void)
{
    expect_bus_errors();
    begin();
    allocate_parts();
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    stall(pid_of(1));
    double start = now_s();
    char value = 0;
    int faulted = bus_error(parts[1] + 5 * PAGE, &value);
    double waited = now_s() - start;
    start = now_s();
    int code = rum_pin(parts[1] + 9 * PAGE, PAGE);
    double pinned = now_s() - start;
    verify(parts[0], PART, 1);
    CHECK(kill(pid_of(1), SIGCONT) == 0, "%s", strerror(errno));
    CHECK(faulted, "a page of a stalled silo was read as %d", value);
    CHECK(waited > 4.3 && waited < 60, "it took %.1f s", waited);
    CHECK_ERROR(code, "Timeout");
    CHECK(pinned > 4.3 && pinned < 60, "rum_pin took %.1f s", pinned);
    /* A page that only a pin gave up is as before once the silo is back. */
    CHECK(rum_pin(parts[1] + 9 * PAGE, PAGE) == 0 && rum_unpin(parts[1] + 9 * PAGE, PAGE) == 0, "after the silo went on");
    CHECK(*(uint64_t *)(parts[1] + 9 * PAGE) == mix(2 + 9 * PAGE / 8), "its content");
    finish();
}

/* The owner kills the silo and starts it again: it has forgotten everything. */
static void loses_no_byte_silently(void)
{
    expect_bus_errors();
    begin();
    allocate_parts();
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    *(uint64_t *)(parts[1] + 3 * PAGE) = 42; /* dirty here */
    next();
    char value = 0;
    for (size_t at = 0; at < 64 * PAGE; at += 8 * PAGE) CHECK(bus_error(parts[1] + at, &value), "a lost page was read as %d", value);
    CHECK_ERROR(rum_pin(parts[1] + 100 * PAGE, PAGE), "ShardLost");
    CHECK_ERROR(rum_flush(parts[1], PART), "ShardLost");
    CHECK(*(uint64_t *)(parts[1] + 3 * PAGE) == 42, "a page that is here is still the program's");
    verify(parts[0], PART, 1);
    verify(parts[2], PART, 3);
    CHECK(rum_free(parts[1]) == 0, "what is lost can be freed");
    double start = now_s();
    char *again;
    while ((again = rum_alloc_location(PART, at_silo(1))) == NULL && now_s() - start < 60) usleep(20000);
    CHECK(again != NULL, "no memory on the silo that came back");
    fill(again, PART, 9);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    verify(again, PART, 9);
    finish();
}

/* The owner restarts a silo that holds nothing of ours: its next use must not wait for a heartbeat (RUM_LEASE=600: one each 200 s). */
static void connects_anew(void)
{
    begin();
    char *p = rum_alloc_location(1 << 20, at_silo(0));
    CHECK(p != NULL, "rum_alloc_location");
    next();
    double start = now_s();
    char *q;
    while ((q = rum_alloc_location(1 << 20, at_silo(1))) == NULL && now_s() - start < 60) usleep(20000);
    CHECK(q != NULL, "no memory on the silo that came back");
    fill(q, 1 << 20, 3);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    verify(q, 1 << 20, 3);
    printf("in use again after %.2f s\n", now_s() - start);
    CHECK(now_s() - start < 60, "it took %.1f s", now_s() - start);
    finish();
}

/* The owner kills the second silo and then the third and starts them again, while a program has its copies on these two: nothing is lost. */
static void copies_stay_where_they_are_asked_for(void)
{
    Location places[] = {at_silo(2), at_silo(1), at_silo(2)}, nowhere[2];
    memset(nowhere, 0, sizeof nowhere);
    begin();
    HASH_TYPE key = rum_key("two places");
    CHECK(rum_alloc_segment_on(PART, &key, places, 3, 0) == NULL, "a silo twice");
    CHECK_ERROR(rum_last_error_code(), "InvalidArgument");
    CHECK(rum_alloc_segment_on(PART, &key, nowhere, 2, 0) == NULL, "anywhere, twice");
    CHECK_ERROR(rum_last_error_code(), "InvalidArgument");
    CHECK(rum_alloc_segment_on(PART, &key, places, 0, 0) == NULL, "no place");
    CHECK_ERROR(rum_last_error_code(), "InvalidArgument");
    CHECK(rum_alloc_segment_on(PART, &key, places, 2, RUM_COPIES(3)) == NULL, "three copies on two silos");
    CHECK_ERROR(rum_last_error_code(), "InvalidArgument");
    strcpy((char *)nowhere[0].ip_addr, "192.0.2.1");
    CHECK(rum_alloc_segment_on(PART, &key, nowhere, 1, 0) == NULL, "a place without a silo");
    CHECK_ERROR(rum_last_error_code(), "UnknownSilo");

    char *p = rum_alloc_segment_on(PART, &key, places, 2, 0);
    CHECK(p != NULL, "rum_alloc_segment_on");
    fill(p, PART, 4);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    next();
    verify(p, PART, 4);
    fill(p, PART, 5);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    next();
    verify(p, PART, 5);
    CHECK(rum_free_hash(p, key) == 0, "rum_free_hash");
    finish();
}

/* Run as a user for whom userfaultfd is permitted for user mode only. */
static void works_in_user_mode_only(void)
{
    begin();
    size_t bytes = 32 << 20;
    char *p = rum_alloc(bytes);
    CHECK(p != NULL, "rum_alloc");
    fill(p, bytes, 8);
    verify(p, bytes, 8);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    int ends[2];
    CHECK(pipe(ends) == 0, "%s", strerror(errno));
    CHECK(write(ends[1], p, PAGE) == -1 && errno == EFAULT, "a system call on a missing page: %s", strerror(errno));
    CHECK(rum_pin(p, PAGE) == 0, "rum_pin");
    CHECK(write(ends[1], p, PAGE) == PAGE, "a system call on a pinned page: %s", strerror(errno));
    /* The silo is another user's: no shared memory with it. */
    CHECK(stat_of("network", "shm_bytes_sent") == 0 && stat_of("network", "udp_bytes_sent") > 0, "shared memory with another user's silo");
    finish();
}

static const struct test tests[] = {
    {"goes_on_beside_a_stalled_silo", goes_on_beside_a_stalled_silo}, {"gives_up_after_the_fault_timeout", gives_up_after_the_fault_timeout},
    {"loses_no_byte_silently", loses_no_byte_silently}, {"connects_anew", connects_anew}, {"works_in_user_mode_only", works_in_user_mode_only},
    {"copies_stay_where_they_are_asked_for", copies_stay_where_they_are_asked_for},
};

int main(int argc, char **argv) { return RUN(tests); }
