/* Remote memory as memory: more than the cache holds, from many threads, in system calls, across fork. Run with RUM_CACHE=8M and a silo of 256M. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/socket.h>

static void outgrows_the_cache(void)
{
    begin();
    size_t bytes = (size_t)64 << 20;
    char *p = rum_alloc(bytes);
    CHECK(p != NULL, "rum_alloc");
    fill(p, bytes, 3);
    verify(p, bytes, 3);
    uint64_t *words = (uint64_t *)p;
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t at = mix(i) % (bytes / 8);
        CHECK(words[at] == mix(3 + at), "word %llu", (unsigned long long)at);
    }
    CHECK(stat_of("pager", "faults") > 8192, "only %lld faults", stat_of("pager", "faults"));
    CHECK(stat_of("pager", "resident_bytes") <= stat_of("pager", "cache_bytes"), "%lld resident", stat_of("pager", "resident_bytes"));
    CHECK(rum_free(p) == 0, "rum_free");
    const char *way = getenv("RUM_TRANSPORT");
    int udp = way != NULL && strcmp(way, "udp") == 0;
    CHECK(stat_of("network", udp ? "udp_bytes_sent" : "shm_bytes_sent") > (long long)bytes / 2, "what went out isn't counted");
    long long directly = stat_of("network", "pages_read_directly");
    CHECK(udp ? directly == 0 : directly > 0, "%lld pages out of the silo's memory", directly);
    CHECK(stat_of("network", udp ? "udp_bytes_received" : "shm_bytes_received") + directly * PAGE > (long long)bytes / 2, "what came in isn't counted");
    CHECK(stat_of("network", udp ? "shm_bytes_sent" : "udp_bytes_sent") == 0, "the wrong way");
    finish();
}

/* Over UDP, and out of a silo's own memory, a page that a thread waits for comes into the slot that it is mapped from; out of a ring it is copied once. */
static void receives_pages_where_they_stay(void)
{
    begin();
    enum { PAGES = 8192, STEP = 37 };
    char *p = rum_alloc((size_t)PAGES * PAGE);
    CHECK(p != NULL, "rum_alloc");
    fill(p, (size_t)PAGES * PAGE, 9);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    long long fetched = stat_of("pager", "pages_fetched"), copied = stat_of("pager", "pages_copied");
    long long directly = stat_of("network", "pages_read_directly");
    /* Steps that no window follows. */
    for (size_t i = 0, page = 0; i < PAGES; i++, page = (page + STEP) % PAGES) {
        uint64_t first = page * PAGE / 8;
        CHECK(((uint64_t *)p)[first] == mix(9 + first), "page %zu", page);
    }
    fetched = stat_of("pager", "pages_fetched") - fetched;
    copied = stat_of("pager", "pages_copied") - copied;
    directly = stat_of("network", "pages_read_directly") - directly;
    const char *way = getenv("RUM_TRANSPORT");
    int lands = way != NULL && strcmp(way, "udp") == 0;
    printf("%lld pages fetched, %lld of them copied\n", fetched, copied);
    CHECK(fetched > PAGES / 2, "%lld fetched", fetched);
    CHECK(lands ? directly == 0 : directly > fetched / 2, "%lld of %lld pages out of the silo's memory", directly, fetched);
    CHECK(copied == (lands ? 0 : fetched - directly), "%lld of %lld pages copied", copied, fetched);
    finish();
}

/* The original marked such a page never dirty, so that eviction dropped the write. */
static void keeps_a_write_after_a_read(void)
{
    begin();
    size_t bytes = 4 << 20;
    char *p = rum_alloc(bytes);
    fill(p, bytes, 5);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    verify(p, bytes, 5);
    for (size_t at = 100; at < bytes; at += PAGE) p[at] = 77;
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    for (size_t at = 100; at < bytes; at += PAGE) CHECK(p[at] == 77, "the write at %zu was lost", at);
    finish();
}

static pthread_barrier_t start_line;
static unsigned char *shared_page;

static void *touch_together(void *argument)
{
    pthread_barrier_wait(&start_line);
    uintptr_t index = (uintptr_t)argument;
    CHECK(shared_page[1000] == 99, "thread %zu read %x", (size_t)index, shared_page[1000]);
    shared_page[index] = (unsigned char)(index + 1);
    return NULL;
}

static void serves_16_threads_on_one_page(void)
{
    begin();
    shared_page = rum_alloc(1 << 20);
    for (int round = 0; round < 20; round++) {
        memset(shared_page, 0, PAGE);
        shared_page[1000] = 99;
        CHECK(rum_flush_cache() == 0, "rum_flush_cache");
        pthread_t threads[16];
        pthread_barrier_init(&start_line, NULL, 16);
        for (uintptr_t i = 0; i < 16; i++) pthread_create(&threads[i], NULL, touch_together, (void *)i);
        for (int i = 0; i < 16; i++) pthread_join(threads[i], NULL);
        for (int i = 0; i < 16; i++) CHECK(shared_page[i] == i + 1, "the store of thread %d is gone", i);
    }
    finish();
}

static void passes_remote_pointers_to_system_calls(void)
{
    begin();
    size_t bytes = 60000;
    char *out = rum_alloc(bytes), *in = rum_alloc(bytes);
    fill(out, bytes, 9);
    memset(in, 0, bytes);
    int pipes[2], sockets[2];
    CHECK(pipe(pipes) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0, "%s", strerror(errno));

    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    CHECK(write(pipes[1], out, bytes) == (ssize_t)bytes, "write: %s", strerror(errno));
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    CHECK(read(pipes[0], in, bytes) == (ssize_t)bytes, "read: %s", strerror(errno));
    verify(in, bytes, 9);

    memset(in, 0, bytes);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    CHECK(send(sockets[0], out, bytes, 0) == (ssize_t)bytes, "send: %s", strerror(errno));
    CHECK(recv(sockets[1], in, bytes, MSG_WAITALL) == (ssize_t)bytes, "recv: %s", strerror(errno));
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    verify(in, bytes, 9);
    finish();
}

static void survives_a_fork(void)
{
    begin();
    char *p = rum_alloc(1 << 20), *small = rum_alloc(64);
    fill(p, 1 << 20, 4);
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        CHECK(rum_alloc(64) == NULL && rum_alloc(1 << 20) == NULL, "a child got memory");
        CHECK_ERROR(rum_last_error_code(), "NotInitialized");
        CHECK(strstr(rum_last_error(), "fork") != NULL, "%s", rum_last_error());
        CHECK(rum_free(small) != 0, "a child freed");
        CHECK(rum_init(NULL) != 0 && rum_end() != 0, "a child ended the parent's session");
        exit(0); /* with the parent's exit handlers */
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    verify(p, 1 << 20, 4);
    fill(p, 1 << 20, 6);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    verify(p, 1 << 20, 6);
    CHECK(rum_free(small) == 0 && rum_free(p) == 0, "rum_free");
    finish();
}

static void touches_nothing_to_allocate(void)
{
    begin();
    enum { OBJECTS = 100000, PAIRS = 1000000 };
    static char *objects[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = rum_alloc(64);
        CHECK(objects[i] != NULL, "object %d", i);
        objects[i][0] = 1;
    }
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    long long before = stat_of("pager", "faults");
    for (int i = 0; i < PAIRS; i++) {
        int at = (int)(mix((uint64_t)i) % OBJECTS);
        CHECK(rum_free(objects[at]) == 0, "rum_free");
        objects[at] = rum_alloc(64);
    }
    CHECK(stat_of("pager", "faults") == before, "%lld faults", stat_of("pager", "faults") - before);
    finish();
}

static void packs_small_objects(void)
{
    begin();
    enum { OBJECTS = 1000000 };
    for (int i = 0; i < OBJECTS; i++) {
        char *p = rum_alloc(64);
        CHECK(p != NULL, "object %d", i);
        p[0] = 1;
    }
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    long long pages = stat_of("network", "pages_written");
    printf("1M objects of 64 bytes: %lld remote bytes, %.3f times theirs\n", pages * PAGE, (double)(pages * PAGE) / (OBJECTS * 64.0));
    CHECK(pages * PAGE >= OBJECTS * 64LL && pages * PAGE <= OBJECTS * 64LL * 6 / 5, "%lld pages", pages);
    finish();
}

static void runs_out_and_recovers(void)
{
    begin();
    enum { PIECE = 8 << 20, PIECES = 64 };
    char *pieces[PIECES];
    int count = 0;
    while (count < PIECES && (pieces[count] = rum_alloc(PIECE)) != NULL) {
        fill(pieces[count], PAGE * 4, (uint64_t)count);
        count++;
    }
    CHECK(count > 2 && count < PIECES, "%d pieces fit", count);
    CHECK_ERROR(rum_last_error_code(), "OutOfMemory");
    CHECK(strstr(rum_last_error(), "free") != NULL, "it doesn't say what is free where: %s", rum_last_error());
    for (int i = 0; i < count; i++) verify(pieces[i], PAGE * 4, (uint64_t)i);
    CHECK(rum_free(pieces[--count]) == 0, "rum_free");
    CHECK((pieces[count] = rum_alloc(PIECE)) != NULL, "freeing made no room");
    count++;
    for (int i = 0; i < count; i++) CHECK(rum_free(pieces[i]) == 0, "rum_free");
    char *again = rum_alloc((size_t)PIECE * (size_t)(count - 1));
    CHECK(again != NULL, "all of it in one piece");
    fill(again, PAGE * 4, 1);
    verify(again, PAGE * 4, 1);
    finish();
}

static void *allocate_and_end(void *argument)
{
    (void)argument;
    for (int i = 0; i < 1000; i++) CHECK(rum_free(rum_alloc((size_t)(i % 2000 + 1))) == 0, "rum_free");
    return NULL;
}

static void serves_threads_that_come_and_go(void)
{
    begin();
    for (int i = 0; i < 200; i++) {
        pthread_t threads[4];
        for (int t = 0; t < 4; t++) pthread_create(&threads[t], NULL, allocate_and_end, NULL);
        for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
    }
    CHECK(stat_of("heap", "live_objects") == 0, "%lld live", stat_of("heap", "live_objects"));
    CHECK(stat_of("heap", "local_bytes") < 8 << 20, "the caches of ended threads pile up: %lld", stat_of("heap", "local_bytes"));
    finish();
}

static pthread_key_t last_words;

static void free_at_exit(void *pointer) { CHECK(rum_free(pointer) == 0, "rum_free in a thread's destructor"); }

static void *leave_it_to_the_destructor(void *argument)
{
    (void)argument;
    for (int i = 0; i < 100; i++) CHECK(rum_free(rum_alloc(64)) == 0, "rum_free");
    void *p = rum_alloc(64);
    CHECK(p != NULL && pthread_setspecific(last_words, p) == 0, "pthread_setspecific");
    return NULL;
}

/* A destructor runs when the thread's cache may be gone already: the call must make another, and that one must not stay behind. */
static void frees_in_thread_destructors(void)
{
    begin();
    /* One key before the library's first call of a thread, so that its destructor runs in any order with the library's own. */
    CHECK(pthread_key_create(&last_words, free_at_exit) == 0, "pthread_key_create");
    for (int i = 0; i < 300; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, leave_it_to_the_destructor, NULL);
        pthread_join(thread, NULL);
    }
    CHECK(stat_of("heap", "live_objects") == 0, "%lld live", stat_of("heap", "live_objects"));
    CHECK(stat_of("heap", "local_bytes") < 8 << 20, "the caches of ended threads pile up: %lld", stat_of("heap", "local_bytes"));
    finish();
}

static const struct test tests[] = {
    {"outgrows_the_cache", outgrows_the_cache}, {"keeps_a_write_after_a_read", keeps_a_write_after_a_read},
    {"receives_pages_where_they_stay", receives_pages_where_they_stay},
    {"serves_16_threads_on_one_page", serves_16_threads_on_one_page},
    {"passes_remote_pointers_to_system_calls", passes_remote_pointers_to_system_calls}, {"survives_a_fork", survives_a_fork},
    {"touches_nothing_to_allocate", touches_nothing_to_allocate}, {"packs_small_objects", packs_small_objects},
    {"runs_out_and_recovers", runs_out_and_recovers}, {"serves_threads_that_come_and_go", serves_threads_that_come_and_go},
    {"frees_in_thread_destructors", frees_in_thread_destructors},
};

int main(int argc, char **argv) { return RUN(tests); }
