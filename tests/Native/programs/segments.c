/* Segments of their own: named, shared with readers, at a place, sparse, ending inside a page. Run with RUM_CACHE=8M and a silo of 256M. */
#include "check.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>

static sigjmp_buf recover;

static void on_fault(int signal)
{
    (void)signal;
    siglongjmp(recover, 1);
}

/* Whether a load (or store) of a byte ends in SIGSEGV. */
static int faults(volatile char *at, int store)
{
    struct sigaction action = {.sa_handler = on_fault}, before;
    sigaction(SIGSEGV, &action, &before);
    int faulted = sigsetjmp(recover, 1);
    if (!faulted) {
        if (store) *at = 1;
        else (void)*at;
    }
    sigaction(SIGSEGV, &before, NULL);
    return faulted;
}

/* Runs a test of this program in a process of its own. */
static void in_child(const char *name)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "segments", name, (char *)NULL);
        _exit(127);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s ended with %x", name, status);
}

static Location anywhere(void)
{
    Location location;
    memset(&location, 0, sizeof location);
    return location;
}

static HASH_TYPE fresh(const char *name)
{
    HASH_TYPE key = rum_key(name);
    rum_free_location_hash(anywhere(), key);
    return key;
}

static void keeps_a_name(void)
{
    begin();
    HASH_TYPE key = fresh("keeps");
    size_t bytes = 1 << 20, size = 0;
    char *p = rum_alloc_hash(bytes, key);
    CHECK(p != NULL, "rum_alloc_hash");
    fill(p, bytes, 11);
    CHECK(rum_alloc_hash(bytes, key) == NULL, "the key exists");
    CHECK_ERROR(rum_last_error_code(), "AlreadyExists");
    finish();

    begin();
    p = rum_get(key, anywhere());
    CHECK(p != NULL, "rum_get");
    verify(p, bytes, 11);
    CHECK(rum_close(p) == 0, "rum_close");
    p = rum_open(HASH_STR(key), RUM_READ, &size);
    CHECK(p != NULL && size == bytes, "rum_open by key: %zu bytes", size);
    CHECK(rum_close(p) == 0, "rum_close");
    p = rum_open("keeps", RUM_WRITE, &size);
    CHECK(p != NULL && size == bytes, "rum_open by name: %zu bytes", size);
    CHECK(rum_usable_size(p) == bytes, "%zu", rum_usable_size(p));
    CHECK_ERROR(rum_free_hash(p + PAGE, key), "BadPointer");
    CHECK(rum_free_hash(p, key) == 0, "rum_free_hash");
    CHECK(rum_get(key, anywhere()) == NULL, "it was freed");
    CHECK_ERROR(rum_last_error_code(), "NotFound");
    CHECK(faults(p, 0), "a freed segment is still mapped");
    finish();
}

/* The original didn't fetch such a page and so zeroed the rest of it. */
static void writes_a_part_of_a_page_first(void)
{
    begin();
    HASH_TYPE key = fresh("part");
    enum { PAGES = 64 };
    char *p = rum_alloc_hash(PAGES * PAGE, key);
    memset(p, 0x5a, PAGES * PAGE);
    finish();
    begin();
    p = rum_get(key, anywhere());
    for (int i = 0; i < PAGES; i++) p[i * PAGE + 17] = 1;
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    for (int i = 0; i < PAGES * PAGE; i++) CHECK(p[i] == (i % PAGE == 17 ? 1 : 0x5a), "byte %d is %x", i, p[i]);
    CHECK(rum_free(p) == 0, "rum_free");
    finish();
}

static void reads_what_the_writer_flushed(void)
{
    begin();
    HASH_TYPE key = fresh("beside");
    char *p = rum_alloc_hash(1 << 20, key);
    fill(p, 1 << 20, 21);
    CHECK(rum_flush(p, 1 << 20) == 0, "rum_flush");
    in_child("as_a_reader");
    p[0]++;
    CHECK(rum_free(p) == 0, "the writer frees");
    finish();
}

static void as_a_reader(void)
{
    begin();
    CHECK(rum_open("beside", RUM_WRITE, NULL) == NULL, "there is a writer already");
    CHECK_ERROR(rum_last_error_code(), "SegmentBusy");
    char *p = rum_get(rum_key("beside"), anywhere());
    CHECK(p != NULL, "rum_get");
    verify(p, 1 << 20, 21);
    CHECK(faults(p, 1), "a reader stored");
    CHECK(rum_realloc(p, 10) == NULL, "a reader resized");
    CHECK_ERROR(rum_last_error_code(), "ReadOnly");
    CHECK(rum_free(p) == 0, "a reader's free only closes");
    finish();
}

static void ends_inside_a_page(void)
{
    begin();
    char *p = rum_alloc_segment(PAGE + 1000, NULL, NULL, 0);
    CHECK(p != NULL, "rum_alloc_segment");
    fill(p, PAGE + 1000, 2);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    verify(p, PAGE + 1000, 2);
    CHECK(faults(p + 2 * PAGE, 0), "a load behind the end went through");
    CHECK(faults(p + 2 * PAGE, 1), "a store behind the end went through");
    CHECK(rum_free(p) == 0, "rum_free");
    finish();
}

static void resizes_in_place(void)
{
    begin();
    char *p = rum_alloc_segment(PAGE, NULL, NULL, 0);
    fill(p, PAGE, 1);
    CHECK(rum_realloc(p, 10 * PAGE) == (void *)p, "grow");
    fill(p, 10 * PAGE, 2);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    CHECK(rum_realloc(p, 3 * PAGE) == (void *)p, "shrink");
    verify(p, 3 * PAGE, 2);
    CHECK(faults(p + 3 * PAGE, 0), "what was cut off is still there");
    CHECK(rum_realloc(p, 4 * PAGE) == (void *)p, "grow again");
    for (int i = 3 * PAGE; i < 4 * PAGE; i++) CHECK(p[i] == 0, "byte %d is %x", i, p[i]);
    CHECK(rum_free(p) == 0, "rum_free");
    finish();
}

/* As ftruncate: what was cut off inside a page is zero when the segment grows again, here and for who opens it. */
static void clears_what_a_shrink_cuts_off(void)
{
    begin();
    HASH_TYPE key = fresh("cut");
    char *p = rum_alloc_hash(3 * PAGE, key);
    CHECK(p != NULL, "rum_alloc_hash");
    memset(p, 0x77, 3 * PAGE);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    CHECK(rum_realloc(p, PAGE + 100) == (void *)p, "shrink");
    CHECK(rum_realloc(p, 3 * PAGE) == (void *)p, "grow again");
    for (int i = 0; i < 3 * PAGE; i++) CHECK(p[i] == (i < PAGE + 100 ? 0x77 : 0), "byte %d is %x", i, p[i]);
    CHECK(rum_realloc(p, 50) == (void *)p, "shrink");
    finish();
    begin();
    p = rum_get(key, anywhere());
    CHECK(p != NULL && rum_usable_size(p) == 50, "rum_get");
    CHECK(rum_realloc(p, PAGE) == (void *)p, "grow again");
    for (int i = 0; i < PAGE; i++) CHECK(p[i] == (i < 50 ? 0x77 : 0), "byte %d is %x after it was opened again", i, p[i]);
    CHECK(rum_free(p) == 0, "rum_free");
    finish();
}

static void is_sparse(void)
{
    begin();
    size_t bytes = (size_t)1 << 40;
    char *p = rum_alloc_segment(bytes, NULL, NULL, RUM_SPARSE);
    CHECK(p != NULL, "1 TiB sparse");
    for (uint64_t i = 0; i < 500; i++) *(uint64_t *)(p + mix(i) % (bytes / PAGE) * PAGE) = i + 1;
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    for (uint64_t i = 0; i < 500; i++) CHECK(*(uint64_t *)(p + mix(i) % (bytes / PAGE) * PAGE) == i + 1, "page %llu", (unsigned long long)i);
    CHECK(p[bytes - 1] == 0 && p[bytes / 2 + 12345] == 0, "never written");
    CHECK(rum_free(p) == 0, "rum_free");
    finish();
}

static void finds_silos(void)
{
    begin();
    Location there = anywhere(), nowhere = anywhere();
    strcpy((char *)there.ip_addr, "127.0.0.1");
    strcpy((char *)nowhere.ip_addr, "192.0.2.1");
    char *p = rum_alloc_location(1 << 20, there);
    CHECK(p != NULL, "rum_alloc_location");
    fill(p, 1 << 20, 1);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    verify(p, 1 << 20, 1);
    CHECK(rum_free(p) == 0, "rum_free");
    CHECK(rum_alloc_location(100, nowhere) == NULL, "no silo is there");
    CHECK_ERROR(rum_last_error_code(), "UnknownSilo");
    CHECK(strstr(rum_last_error(), "127.0.0.1") != NULL, "it doesn't say who is there: %s", rum_last_error());
    finish();
}

static void refuses_bad_keys(void)
{
    begin();
    HASH_TYPE key;
    memset(&key, 'x', sizeof key);
    CHECK(rum_alloc_hash(100, key) == NULL && rum_get(key, anywhere()) == NULL, "not hex");
    CHECK_ERROR(rum_last_error_code(), "InvalidArgument");
    memset(&key, '0', sizeof key);
    CHECK(rum_alloc_hash(100, key) == NULL, "the anonymous key");
    CHECK(rum_open("", RUM_READ, NULL) == NULL && rum_open("x", 7, NULL) == NULL, "empty name, unknown mode");
    CHECK(rum_open("nobody made this", RUM_READ, NULL) == NULL, "unknown name");
    CHECK_ERROR(rum_last_error_code(), "NotFound");
    CHECK_ERROR(rum_free_location_hash(anywhere(), rum_key("nobody made this")), "NotFound");
    CHECK_ERROR(rum_free_hash(NULL, rum_key("x")), "InvalidArgument");
    finish();
}

static void *open_and_close(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100; i++) {
        char *p = rum_open("crowd", RUM_WRITE, NULL);
        CHECK(p != NULL, "rum_open %d", i);
        CHECK(p[PAGE] == 7, "it reads as %d", p[PAGE]);
        CHECK(rum_close(p) == 0, "rum_close %d", i);
    }
    return NULL;
}

/* Each open is worth one close, whoever calls it; who opens while another closes gets the segment, not what is left of it. */
static void opens_and_closes_from_many_threads(void)
{
    begin();
    HASH_TYPE key = fresh("crowd");
    char *p = rum_alloc_hash(4 * PAGE, key);
    CHECK(p != NULL, "rum_alloc_hash");
    p[PAGE] = 7;
    CHECK(rum_close(p) == 0, "rum_close");
    pthread_t threads[4];
    for (int t = 0; t < 4; t++) CHECK(pthread_create(&threads[t], NULL, open_and_close, NULL) == 0, "pthread_create");
    for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
    p = rum_open("crowd", RUM_WRITE, NULL);
    CHECK(p != NULL && rum_open("crowd", RUM_WRITE, NULL) == (void *)p, "opened twice");
    CHECK(rum_close(p) == 0 && p[PAGE] == 7, "after one close of two it is there");
    CHECK(rum_close(p) == 0, "the second");
    CHECK_ERROR(rum_close(p), "BadPointer");
    finish();
}

static void *close_it(void *pointer) { return (void *)(intptr_t)rum_close(pointer); }

static void closes_once_for_two_who_close_at_once(void)
{
    begin();
    HASH_TYPE key = fresh("twice");
    char *p = rum_alloc_hash(PAGE, key);
    for (int round = 0; round < 30; round++) {
        CHECK(p != NULL, "round %d", round);
        p[0] = (char)round;
        pthread_t other;
        void *theirs;
        CHECK(pthread_create(&other, NULL, close_it, p) == 0, "pthread_create");
        int mine = rum_close(p);
        pthread_join(other, &theirs);
        CHECK((mine == 0) != ((intptr_t)theirs == 0), "of two closes one ends well: %d, %d", mine, (int)(intptr_t)theirs);
        if (mine != 0) CHECK_ERROR(mine, "BadPointer");
        p = rum_open("twice", RUM_WRITE, NULL);
        CHECK(p != NULL && p[0] == (char)round, "after round %d", round);
    }
    CHECK(rum_free(p) == 0, "rum_free");
    finish();
}

static void resizes_only_what_is_open_once(void)
{
    begin();
    char *p = rum_alloc_hash(2 * PAGE, fresh("shared"));
    CHECK(p != NULL && rum_open("shared", RUM_WRITE, NULL) == (void *)p, "opened twice");
    fill(p, 2 * PAGE, 3);
    CHECK(rum_realloc(p, 10 * PAGE) == NULL, "who else has it open goes on by the old size");
    CHECK_ERROR(rum_last_error_code(), "SegmentBusy");
    CHECK(rum_usable_size(p) == 2 * PAGE, "%zu", rum_usable_size(p));
    verify(p, 2 * PAGE, 3);
    CHECK(rum_close(p) == 0, "rum_close");
    CHECK(rum_realloc(p, 10 * PAGE) == (void *)p && rum_usable_size(p) == 10 * PAGE, "by the only one");
    verify(p, 2 * PAGE, 3);
    CHECK(rum_free(p) == 0, "rum_free");
    finish();
}

static atomic_int holders, taken;

/* Each thread has a name of its own and fights for one with the others: whoever makes that has it for himself until he frees it. */
static void *make_and_free(void *number)
{
    char name[32];
    snprintf(name, sizeof name, "beside-%d", (int)(intptr_t)number);
    HASH_TYPE own = rum_key(name), common = rum_key("beside");
    for (int round = 0; round < 20; round++) {
        char *mine = rum_alloc_hash(PAGE, own);
        CHECK(mine != NULL, "%s in round %d", name, round);
        CHECK(mine[0] == 0, "%s is not new in round %d", name, round);
        mine[0] = 1;
        char *ours = rum_alloc_hash(PAGE, common);
        if (ours != NULL) {
            CHECK(atomic_fetch_add(&holders, 1) == 0, "two hold one name");
            CHECK(ours[0] == 0, "the common one is not new in round %d", round);
            ours[0] = 1;
            atomic_fetch_add(&taken, 1);
            atomic_fetch_sub(&holders, 1);
            CHECK(rum_free_hash(ours, common) == 0, "the common one in round %d", round);
        } else {
            CHECK_ERROR(rum_last_error_code(), "AlreadyExists");
        }
        CHECK(rum_free_hash(mine, own) == 0, "%s in round %d", name, round);
    }
    return NULL;
}

static void asks_from_more_threads_than_there_are_lines(void)
{
    begin();
    fresh("beside");
    pthread_t threads[24];
    for (int i = 0; i < 24; i++) CHECK(pthread_create(&threads[i], NULL, make_and_free, (void *)(intptr_t)i) == 0, "pthread_create");
    for (int i = 0; i < 24; i++) pthread_join(threads[i], NULL);
    CHECK(taken > 0, "nobody ever got the common one");
    finish();
}

static const struct test tests[] = {
    {"asks_from_more_threads_than_there_are_lines", asks_from_more_threads_than_there_are_lines},
    {"keeps_a_name", keeps_a_name}, {"writes_a_part_of_a_page_first", writes_a_part_of_a_page_first},
    {"reads_what_the_writer_flushed", reads_what_the_writer_flushed}, {"ends_inside_a_page", ends_inside_a_page},
    {"resizes_in_place", resizes_in_place}, {"is_sparse", is_sparse}, {"finds_silos", finds_silos}, {"refuses_bad_keys", refuses_bad_keys},
    {"clears_what_a_shrink_cuts_off", clears_what_a_shrink_cuts_off},
    {"opens_and_closes_from_many_threads", opens_and_closes_from_many_threads},
    {"closes_once_for_two_who_close_at_once", closes_once_for_two_who_close_at_once}, {"resizes_only_what_is_open_once", resizes_only_what_is_open_once},
};

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "as_a_reader") == 0) {
        as_a_reader();
        return 0;
    }
    return RUN(tests);
}
