/*
 * The lost-update stress over the real thing: librum.so and silos. Writers, readers, prefetches, direct reads (O_DIRECT), flushes and a cache that is
 * many times too small. Each writer owns words in every page and remembers what it stored last: whatever it reads back must be that.
 *
 *   stress [--seconds N] [--seed S]     exit 0: nothing lost; 1: a violation; 2: could not be tried
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

enum { WRITERS = 3, WORDS = 4, PAGES = 16384, DIRECT_PAGES = 64, SPARE_PAGES = 1 /* so that it can be aligned */ };

static unsigned char *memory, *direct_area;
static uint32_t stored[WRITERS][PAGES * WORDS];
static atomic_int stop;
static atomic_llong operations, direct_reads;
static uint64_t seed = 1;

static volatile uint64_t *word_at(int writer, int page, int word)
{
    return (volatile uint64_t *)(memory + (size_t)page * PAGE + (size_t)(word * 1024 + writer * 264 + page % 16 * 8));
}

static uint64_t value_of(int writer, int page, uint32_t version) { return version == 0 ? 0 : (uint64_t)version << 32 | (uint64_t)page << 8 | (uint64_t)writer | 0x80; }

static void violation(const char *who, int writer, int page, int word, uint64_t expected, uint64_t found)
{
    printf("VIOLATION: %s: page %d, word %d of writer %d: stored %llx, found %llx\n", who, page, word, writer, (unsigned long long)expected, (unsigned long long)found);
    fflush(stdout);
    _exit(1);
}

static uint64_t draw(uint64_t *state) { return mix(*state += 0x9e3779b97f4a7c15u); }

/* Half of the touches go to few pages, some run front to back, the rest anywhere. */
static int choose(uint64_t *state, int *run)
{
    unsigned kind = (unsigned)(draw(state) % 16);
    if (kind < 7) return (int)(draw(state) % 512);
    if (kind < 11) return *run = (*run + 1) % PAGES;
    if (kind == 11) *run = (int)(draw(state) % PAGES);
    return (int)(draw(state) % PAGES);
}

static void check_word(int writer, int page, int word, const char *who)
{
    uint64_t expected = value_of(writer, page, stored[writer][page * WORDS + word]), found = *word_at(writer, page, word);
    if (found != expected) violation(who, writer, page, word, expected, found);
}

static void *write_words(void *argument)
{
    int writer = (int)(intptr_t)argument, run = 0;
    uint64_t state = seed * 100 + (uint64_t)writer;
    while (!stop) {
        int page = choose(&state, &run), word = (int)(draw(&state) % WORDS);
        check_word(writer, page, word, "a writer");
        if (draw(&state) % 3 != 0) *word_at(writer, page, word) = value_of(writer, page, ++stored[writer][page * WORDS + word]);
        operations++;
    }
    return NULL;
}

static void *read_words(void *unused)
{
    (void)unused;
    static uint32_t seen[WRITERS][PAGES * WORDS];
    uint64_t state = seed * 100 + 50;
    int run = 0;
    while (!stop) {
        int page = choose(&state, &run), writer = (int)(draw(&state) % WRITERS), word = (int)(draw(&state) % WORDS);
        uint64_t found = *word_at(writer, page, word);
        uint32_t version = (uint32_t)(found >> 32), *last = &seen[writer][page * WORDS + word];
        if (found != value_of(writer, page, version) || version < *last) violation("a reader", writer, page, word, value_of(writer, page, *last), found);
        *last = version;
        operations++;
    }
    return NULL;
}

/* The kernel writes these pages by their physical address while they are being evicted. Pages that are copied, or fetched by who faults, must be pinned for that. */
static void *read_directly(void *unused)
{
    (void)unused;
    char path[] = "/tmp/rum-stress-XXXXXX";
    int plain = mkstemp(path), file = plain < 0 ? -1 : open(path, O_RDWR | O_DIRECT);
    unlink(path);
    if (file < 0) {
        printf("skipped: direct I/O: %s\n", strerror(errno));
        return NULL;
    }
    const char *mode = getenv("RUM_PAGER");
    const char *fault = getenv("RUM_FAULT");
    int pin = (mode != NULL && strcmp(mode, "copy") == 0) || (fault != NULL && strcmp(fault, "inline") == 0);
    uint64_t *local = aligned_alloc(PAGE, PAGE);
    for (int block = 0; block < DIRECT_PAGES; block++) {
        for (int i = 0; i < PAGE / 8; i++) local[i] = 0xd1ec000000000000u + (uint64_t)block;
        CHECK(pwrite(file, local, PAGE, (off_t)block * PAGE) == PAGE, "%s", strerror(errno));
    }
    uint64_t state = seed * 100 + 60;
    while (!stop) {
        uint64_t block = draw(&state) % DIRECT_PAGES;
        unsigned char *to = direct_area + draw(&state) % DIRECT_PAGES * PAGE;
        if (pin && rum_pin(to, PAGE) != 0) continue;
        CHECK(pread(file, to, PAGE, (off_t)block * PAGE) == PAGE, "%s", strerror(errno));
        memcpy(local, to, PAGE);
        if (pin) CHECK(rum_unpin(to, PAGE) == 0, "rum_unpin");
        for (int i = 0; i < PAGE / 8; i++)
            if (local[i] != 0xd1ec000000000000u + block) violation("a direct read was lost", 0, (int)block, i, 0xd1ec000000000000u + block, local[i]);
        direct_reads++;
    }
    free(local);
    close(file);
    close(plain);
    return NULL;
}

static void *flush_and_prefetch(void *unused)
{
    (void)unused;
    uint64_t state = seed * 100 + 70;
    for (long long due = 0; !stop;) {
        /* Not too often, else no page leaves the cache dirty. */
        if (operations < due) {
            usleep(100);
            continue;
        }
        due = operations + 500;
        unsigned char *at = memory + draw(&state) % (PAGES - 64) * PAGE;
        size_t length = (1 + draw(&state) % 64) * PAGE;
        uint64_t kind = draw(&state) % 64;
        int error = kind == 0 ? rum_flush_cache() : kind < 16 ? rum_flush(at, length) : rum_prefetch(at, length);
        CHECK(error == 0, "flush or prefetch");
    }
    return NULL;
}

int main(int argc, char **argv)
{
    double seconds = 30;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0) seconds = atof(argv[i + 1]);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 10);
        else {
            fprintf(stderr, "usage: stress [--seconds N] [--seed S]\n");
            return 2;
        }
    }
    if (rum_init(NULL) != 0) {
        fprintf(stderr, "stress: %s\n", rum_last_error());
        return 2;
    }
    size_t bytes = (size_t)(PAGES + DIRECT_PAGES + SPARE_PAGES) * PAGE;
    memory = rum_calloc(1, bytes);
    CHECK(memory != NULL, "rum_calloc");
    memory = (unsigned char *)(((uintptr_t)memory + PAGE - 1) / PAGE * PAGE);
    direct_area = memory + (size_t)PAGES * PAGE;
    pthread_t threads[WRITERS + 3];
    for (intptr_t w = 0; w < WRITERS; w++) pthread_create(&threads[w], NULL, write_words, (void *)w);
    pthread_create(&threads[WRITERS], NULL, read_words, NULL);
    pthread_create(&threads[WRITERS + 1], NULL, read_directly, NULL);
    pthread_create(&threads[WRITERS + 2], NULL, flush_and_prefetch, NULL);
    double end = now_s() + seconds;
    while (now_s() < end) usleep(20000);
    stop = 1;
    for (int i = 0; i < WRITERS + 3; i++) pthread_join(threads[i], NULL);
    for (int round = 0; round < 2; round++) {
        for (int w = 0; w < WRITERS; w++)
            for (int page = 0; page < PAGES; page++)
                for (int word = 0; word < WORDS; word++) check_word(w, page, word, round == 0 ? "after the run" : "after rum_flush_cache");
        CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    }
    printf("seed %llu: %lld operations, %lld direct reads, %lld faults, %lld evictions, %lld write-backs, %lld rescues\n", (unsigned long long)seed,
        (long long)operations, (long long)direct_reads, stat_of("pager", "faults"), stat_of("pager", "evictions"), stat_of("pager", "write_backs"), stat_of("pager", "rescues"));
    CHECK(stat_of("pager", "resident_bytes") <= stat_of("pager", "cache_bytes"), "%lld resident", stat_of("pager", "resident_bytes"));
    CHECK(rum_end() == 0, "rum_end");
    puts("no update lost");
    return 0;
}
