/*
 * mem_test: does remote memory behave as memory? A program to learn the API from, and to run against a cluster before trusting it.
 *
 * Each test allocates, stores a pattern that depends on place and seed, makes the silos hold it (rum_flush_cache empties the local cache),
 * and checks every byte. It ends with exit code 0 only if all was right: 1 is a wrong byte or a call that failed, 2 a wrong argument, 3 no silo.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rum.h>

static uint64_t seed = 1;
static size_t mib = 64;

static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("  FAILED: ");
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n  last error: %s: %s\n", rum_error_name(rum_last_error_code()), rum_last_error());
    exit(1);
}

/* One 64-bit number from another, well mixed (the finaliser of splitmix64). */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t state;

static uint64_t draw(uint64_t below) { return mix(state++) % below; }

static unsigned char byte_at(uint64_t pattern, size_t i) { return (unsigned char)(mix(pattern + i / 8) >> (i % 8 * 8)); }

static void fill(unsigned char *memory, size_t bytes, uint64_t pattern)
{
    for (size_t i = 0; i < bytes; i++) memory[i] = byte_at(pattern, i);
}

static void verify(const unsigned char *memory, size_t bytes, uint64_t pattern)
{
    for (size_t i = 0; i < bytes; i++) {
        if (memory[i] != byte_at(pattern, i)) fail("byte %zu of %zu at %p is %02x, not %02x", i, bytes, (const void *)memory, memory[i], byte_at(pattern, i));
    }
}

static void *allocate(size_t bytes)
{
    void *memory = rum_alloc(bytes);
    if (memory == NULL) fail("rum_alloc(%zu)", bytes);
    return memory;
}

static void release(void *memory)
{
    if (rum_free(memory) != 0) fail("rum_free(%p)", memory);
}

static void empty_the_cache(void)
{
    if (rum_flush_cache() != 0) fail("rum_flush_cache");
}

/* Stores, lets every page go to the silos, and looks whether all came back, then again after a change of single bytes. */
static void test_patterns(void)
{
    size_t bytes = mib << 20;
    unsigned char *memory = allocate(bytes);
    fill(memory, bytes, seed);
    empty_the_cache();
    verify(memory, bytes, seed);
    for (size_t i = 0; i < bytes; i += 4096) memory[i] = (unsigned char)~memory[i]; /* read first, written after: must not be lost */
    empty_the_cache();
    for (size_t i = 0; i < bytes; i += 4096) {
        if (memory[i] != (unsigned char)~byte_at(seed, i)) fail("the change of byte %zu was lost", i);
        memory[i] = (unsigned char)~memory[i];
    }
    verify(memory, bytes, seed);
    release(memory);
}

/* Takes memory until the silos say no, verifies all of it, gives one piece back, which must make room for another, then everything. */
static void test_exhaustion(void)
{
    enum { PIECES_MAX = 65536 };
    size_t piece = (size_t)16 << 20, count = 0;
    unsigned char **pieces = calloc(PIECES_MAX, sizeof *pieces);
    if (pieces == NULL) fail("no local memory");
    while (count < PIECES_MAX && (pieces[count] = rum_alloc(piece)) != NULL) {
        fill(pieces[count], 8192, seed + count);
        count++;
    }
    if (count == PIECES_MAX) fail("the silos are too large to exhaust");
    if (strcmp(rum_error_name(rum_last_error_code()), "OutOfMemory") != 0) fail("the silos refused, but not because they were full");
    printf("  %zu pieces of 16 MiB, then: %s\n", count, rum_last_error());
    for (size_t i = 0; i < count; i++) verify(pieces[i], 8192, seed + i);
    if (count > 0) {
        release(pieces[count - 1]);
        pieces[count - 1] = allocate(piece);
    }
    for (size_t i = 0; i < count; i++) release(pieces[i]);
    free(pieces);
}

/* rum_realloc keeps what both sizes have, up and down, from bytes to megabytes. */
static void test_realloc(void)
{
    size_t before = 1, most = mib << 18;
    unsigned char *memory = allocate(before);
    fill(memory, before, seed);
    for (int i = 0; i < 60; i++) {
        size_t bytes = (size_t)1 << draw(i < 40 ? 16 : 64 - (uint64_t)__builtin_clzll(most));
        bytes += draw(bytes);
        memory = rum_realloc(memory, bytes);
        if (memory == NULL) fail("rum_realloc from %zu to %zu bytes", before, bytes);
        if (i % 5 == 0) empty_the_cache();
        verify(memory, before < bytes ? before : bytes, seed);
        fill(memory, bytes, seed);
        before = bytes;
    }
    release(memory);
}

/* Every second piece is freed, then the others: their neighbours must join, or the whole would not fit where the pieces stood. */
static void test_coalescing(void)
{
    enum { PIECES = 256 };
    size_t piece = (mib << 20) / PIECES;
    unsigned char *pieces[PIECES];
    for (int i = 0; i < PIECES; i++) {
        pieces[i] = allocate(piece);
        fill(pieces[i], 64, seed + (uint64_t)i);
    }
    for (int i = 0; i < PIECES; i += 2) release(pieces[i]);
    for (int i = 1; i < PIECES; i += 2) verify(pieces[i], 64, seed + (uint64_t)i);
    for (int i = 1; i < PIECES; i += 2) release(pieces[i]);
    unsigned char *whole = allocate(piece * PIECES);
    fill(whole, 64, seed);
    fill(whole + piece * PIECES - 64, 64, seed);
    empty_the_cache();
    verify(whole, 64, seed);
    verify(whole + piece * PIECES - 64, 64, seed);
    release(whole);
}

/* rum_calloc gives zeros, also where something stood before. */
static void test_zeros(void)
{
    for (int round = 0; round < 3; round++) {
        for (size_t bytes = 1; bytes <= mib << 18; bytes = bytes * 3 + 1) {
            unsigned char *memory = rum_calloc(1, bytes);
            if (memory == NULL) fail("rum_calloc(1, %zu)", bytes);
            for (size_t i = 0; i < bytes; i++) {
                if (memory[i] != 0) fail("byte %zu of %zu is %02x, not 0", i, bytes, memory[i]);
            }
            memset(memory, 0xff, bytes);
            release(memory);
        }
    }
}

/* Allocates, frees and resizes at random; whatever lives keeps its bytes. The same seed does the same again. */
static void test_random(void)
{
    enum { LIVE = 2000, STEPS = 100000 };
    static struct {
        unsigned char *memory;
        size_t bytes;
        uint64_t pattern;
    } live[LIVE];
    size_t total = 0, limit = mib << 19;
    for (int step = 0; step < STEPS; step++) {
        size_t i = (size_t)draw(LIVE);
        if (live[i].memory != NULL) {
            verify(live[i].memory, live[i].bytes < 256 ? live[i].bytes : 256, live[i].pattern);
            release(live[i].memory);
            total -= live[i].bytes;
            live[i].memory = NULL;
        }
        size_t bytes = 1 + (size_t)draw((uint64_t)1 << (4 + draw(14)));
        if (total + bytes > limit) continue;
        live[i].memory = allocate(bytes);
        live[i].bytes = bytes;
        live[i].pattern = mix(seed + (uint64_t)step);
        fill(live[i].memory, bytes < 256 ? bytes : 256, live[i].pattern);
        total += bytes;
        if (step % 20000 == 19999) {
            empty_the_cache();
            printf("  step %d of %d, %zu KiB live\n", step + 1, STEPS, total >> 10);
        }
    }
    for (size_t i = 0; i < LIVE; i++) {
        if (live[i].memory == NULL) continue;
        verify(live[i].memory, live[i].bytes < 256 ? live[i].bytes : 256, live[i].pattern);
        release(live[i].memory);
    }
}

/* What must be refused, in words, and without harm. */
static void test_mistakes(void)
{
    char here;
    unsigned char *memory = allocate(100);
    if (rum_alloc(0) != NULL) fail("0 bytes");
    if (rum_alloc((size_t)-1) != NULL) fail("-1 bytes");
    if (rum_free(&here) == 0) fail("a pointer to the stack was freed");
    if (rum_free(memory + 16) == 0) fail("the middle of an object was freed");
    release(memory);
    if (rum_free(memory) == 0) fail("an object was freed twice");
    printf("  the last was refused with: %s\n", rum_last_error());
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    {"patterns", test_patterns}, {"zeros", test_zeros},   {"realloc", test_realloc},       {"coalescing", test_coalescing},
    {"random", test_random},     {"mistakes", test_mistakes}, {"exhaustion", test_exhaustion},
};

static int usage(FILE *to, int code)
{
    fprintf(to,
            "mem_test [--mib N] [--seed N] [--machines FILE] [TEST...]\n"
            "  --mib N          how much memory the tests use (default 64); more than the cache (RUM_CACHE) is the point\n"
            "  --seed N         another run of the random tests (default 1); the same seed repeats a run\n"
            "  --machines FILE  the silos (default: RUM_MACHINES, else the one of 'rum silo run --dev')\n"
            "Tests, all by default:");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) fprintf(to, " %s", tests[i].name);
    fprintf(to, "\n");
    return code;
}

static uint64_t number(const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0) {
        fprintf(stderr, "mem_test: \"%s\" is not a number\n", text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"mib", 1, 0, 'm'}, {"seed", 1, 0, 's'}, {"machines", 1, 0, 'f'}, {"help", 0, 0, 'h'}, {0, 0, 0, 0}};
    const char *machines = NULL;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (option) {
            case 'm': mib = number(optarg); break;
            case 's': seed = number(optarg); break;
            case 'f': machines = optarg; break;
            case 'h': return usage(stdout, 0);
            default: return usage(stderr, 2);
        }
    }
    if (mib < 1 || mib > 1 << 20) {
        fprintf(stderr, "mem_test: --mib is from 1 to %d\n", 1 << 20);
        return 2;
    }
    for (int a = optind; a < argc; a++) {
        int known = 0;
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) known |= strcmp(tests[i].name, argv[a]) == 0;
        if (!known) return usage(stderr, 2);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* From here on remote memory is just memory. */
    if (rum_init(machines) != 0) {
        fprintf(stderr, "mem_test: %s\n", rum_last_error());
        return 3;
    }
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        int wanted = optind == argc;
        for (int a = optind; a < argc; a++) wanted |= strcmp(tests[i].name, argv[a]) == 0;
        if (!wanted) continue;
        printf("%s ...\n", tests[i].name);
        state = seed;
        struct timespec begun, ended;
        clock_gettime(CLOCK_MONOTONIC, &begun);
        tests[i].run();
        clock_gettime(CLOCK_MONOTONIC, &ended);
        printf("%s: ok, %.2f s\n", tests[i].name, (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9);
    }
    if (rum_end() != 0) fail("rum_end");
    printf("all tests passed (seed %llu, %zu MiB)\n", (unsigned long long)seed, mib);
    return 0;
}
