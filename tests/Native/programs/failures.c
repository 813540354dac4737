/* Silos that are absent, settings that make no sense, leases that end. Run with RUM_LEASE=2 (or 1) and a silo of 256M. */
#include "check.h"

#include <setjmp.h>

static sigjmp_buf recover;

static void on_fault(int signal)
{
    (void)signal;
    /* A thread of the library must never be here: it would go on with the stack of the test. */
    if (gettid() != getpid()) abort();
    siglongjmp(recover, 1);
}

static void names_the_absent_silo(void)
{
    setenv("RUM_MACHINES", "", 1);
    char path[] = "/tmp/rum-absent-XXXXXX";
    int file = mkstemp(path);
    static const char line[] = "127.0.0.1:9\n";
    CHECK(file >= 0 && write(file, line, sizeof line - 1) > 0, "%s", path);
    close(file);
    double start = now_s();
    int code = rum_init(path);
    unlink(path);
    CHECK_ERROR(code, "Unavailable");
    CHECK(strstr(rum_last_error(), "127.0.0.1:9") != NULL && strstr(rum_last_error(), "rum silo run") != NULL, "%s", rum_last_error());
    CHECK(now_s() - start < 45, "it took %.1f s", now_s() - start);
    CHECK(rum_alloc(10) == NULL, "without a silo");
}

static void explains_settings(void)
{
    CHECK_ERROR(rum_init("/nonexistent/machines.csv"), "BadConfiguration");
    CHECK(strstr(rum_last_error(), "/nonexistent/machines.csv") != NULL, "%s", rum_last_error());
    setenv("RUM_CACHE", "plenty", 1);
    CHECK_ERROR(rum_init(NULL), "BadConfiguration");
    CHECK(strstr(rum_last_error(), "RUM_CACHE") != NULL && strstr(rum_last_error(), "plenty") != NULL, "%s", rum_last_error());
    setenv("RUM_CACHE", "1K", 1);
    CHECK_ERROR(rum_init(NULL), "BadConfiguration");
    setenv("RUM_CACHE", "8M", 1);
    setenv("RUM_PAGER", "fast", 1);
    CHECK_ERROR(rum_init(NULL), "BadConfiguration");
    unsetenv("RUM_PAGER");
    begin();
    finish();
}

/* Holds most of the silo's memory and dies. */
static void dies_with_its_memory(void)
{
    begin();
    char *p = rum_alloc((size_t)180 << 20);
    CHECK(p != NULL, "rum_alloc");
    fill(p, 1 << 20, 1);
    printf("ok dies_with_its_memory\n");
    fflush(stdout);
    raise(SIGKILL);
}

/* Gets that memory within some leases. */
static void inherits_its_memory(void)
{
    begin();
    double start = now_s();
    char *p;
    while ((p = rum_alloc((size_t)180 << 20)) == NULL && now_s() - start < 45) {
        CHECK_ERROR(rum_last_error_code(), "OutOfMemory");
        usleep(100000);
    }
    CHECK(p != NULL, "the memory of a killed client was not freed in 45 s with a lease of 1 s");
    fill(p, 1 << 20, 2);
    verify(p, 1 << 20, 2);
    finish();
}

/* A process ends without rum_end: its memory is free at once, not at the end of its lease. */
static void forgets_rum_end(void)
{
    begin();
    CHECK(rum_alloc((size_t)180 << 20) != NULL, "rum_alloc");
}

static void comes_back_late(void)
{
    /* Until the parent has memory it must not be stopped: it says so by a signal. */
    sigset_t go;
    sigemptyset(&go);
    sigaddset(&go, SIGUSR1);
    sigprocmask(SIG_BLOCK, &go, NULL);
    pid_t parent = getpid(), helper = fork();
    if (helper == 0) {
        int got;
        sigwait(&go, &got);
        kill(parent, SIGSTOP);
        sleep(5);
        kill(parent, SIGCONT);
        _exit(0);
    }
    begin();
    char *p = rum_alloc(1 << 20), *small = rum_alloc(64);
    fill(p, 1 << 20, 1);
    HASH_TYPE key = rum_key("late");
    Location anywhere;
    memset(&anywhere, 0, sizeof anywhere);
    rum_free_location_hash(anywhere, key);
    char *named = rum_alloc_hash(PAGE, key);
    CHECK(named != NULL, "rum_alloc_hash");
    strcpy(named, "kept");
    CHECK(rum_flush(NULL, 0) == 0, "rum_flush");
    kill(helper, SIGUSR1);

    /* Stopped here for more than 2 leases. The first heartbeat after it tells. */
    double start = now_s();
    int code = 0;
    while (now_s() - start < 45 && code == 0) {
        void *q = rum_alloc(64); /* which needs no silo: the session's end must stop it all the same */
        if (q == NULL) code = rum_last_error_code();
        else rum_free(q);
        usleep(1000);
    }
    CHECK_ERROR(code, "SessionExpired");
    struct sigaction action = {.sa_handler = on_fault};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    volatile char *gone[] = {p, small, named};
    for (volatile int i = 0; i < 3; i++) {
        if (sigsetjmp(recover, 1)) continue;
        *gone[i] = 2;
        CHECK(0, "a store to memory %d of an ended session went through", i);
    }
    rum_end();
    begin();
    named = rum_get(key, anywhere);
    CHECK(named != NULL && strcmp(named, "kept") == 0, "a named segment stays");
    CHECK(rum_free(named) == 0, "rum_free");
    finish();
    waitpid(helper, NULL, 0);
}

static const struct test tests[] = {
    {"names_the_absent_silo", names_the_absent_silo}, {"explains_settings", explains_settings}, {"dies_with_its_memory", dies_with_its_memory},
    {"inherits_its_memory", inherits_its_memory}, {"forgets_rum_end", forgets_rum_end}, {"comes_back_late", comes_back_late},
};

int main(int argc, char **argv) { return RUN(tests); }
