/*
 * A program on more memory than its local cache holds: fills it, reads every page back in random order, verifies every byte.
 * Nothing here but rum_init, rum_alloc, rum_free and rum_end knows that the memory is remote: the rest are plain loads and stores.
 *
 *   demo [MIB]        (default 512; RUM_MACHINES names the silos, RUM_CACHE the local cache)
 *
 * Lines on stdout: "progress PHASE DONE TOTAL" (pages), "phase PHASE PAGES SECONDS", "access LOWER_NS COUNT" (how long the first load of a page
 * took, by bucket), "stats JSON", "result VERIFIED WRONG" (bytes). Exit code: 0, 1 for a wrong byte, 2 when RUM could not be had.
 */
#include <rum.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PAGE_BYTES = 4096, PAGE_WORDS = PAGE_BYTES / 8, SUB_BUCKETS = 16, BUCKETS = 64 * SUB_BUCKETS };

static uint64_t buckets[BUCKETS];

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What word w of page p holds: different everywhere, so that a page in the wrong place is seen too (splitmix64). */
static uint64_t expected(uint64_t page, uint64_t word)
{
    uint64_t x = (page * PAGE_WORDS + word) * 0x9E3779B97F4A7C15u + 0x5EED;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* Buckets grow by a sixteenth of a power of two: fine enough for percentiles, small enough to print. */
static unsigned bucket_of(uint64_t ns)
{
    if (ns < SUB_BUCKETS) return (unsigned)ns;
    unsigned power = 63u - (unsigned)__builtin_clzll(ns);
    return (power - 3) * SUB_BUCKETS + (unsigned)((ns >> (power - 4)) & (SUB_BUCKETS - 1));
}

static uint64_t bucket_lower(unsigned bucket)
{
    if (bucket < SUB_BUCKETS) return bucket;
    unsigned power = bucket / SUB_BUCKETS + 3;
    return (uint64_t)(SUB_BUCKETS + bucket % SUB_BUCKETS) << (power - 4);
}

static void progress(const char *phase, uint64_t done, uint64_t total, uint64_t *last)
{
    uint64_t now = now_ns();
    if (now - *last < 200000000u && done != total) return;
    *last = now;
    printf("progress %s %llu %llu\n", phase, (unsigned long long)done, (unsigned long long)total);
    fflush(stdout);
}

static void phase_done(const char *phase, uint64_t pages, uint64_t begun)
{
    printf("phase %s %llu %.6f\n", phase, (unsigned long long)pages, (double)(now_ns() - begun) / 1e9);
    fflush(stdout);
}

static void fill(uint64_t *memory, uint64_t pages)
{
    uint64_t begun = now_ns(), last = 0;
    for (uint64_t page = 0; page < pages; page++)
    {
        uint64_t *words = memory + page * PAGE_WORDS;
        for (uint64_t word = 0; word < PAGE_WORDS; word++) words[word] = expected(page, word);
        if (page % 64 == 0) progress("fill", page, pages, &last);
    }
    progress("fill", pages, pages, &last);
    phase_done("fill", pages, begun);
}

static uint64_t wrong_bytes(const uint64_t *words, uint64_t page)
{
    uint64_t wrong = 0;
    for (uint64_t word = 0; word < PAGE_WORDS; word++)
    {
        uint64_t difference = words[word] ^ expected(page, word);
        for (; difference != 0; difference >>= 8) wrong += (difference & 0xFF) != 0;
    }
    return wrong;
}

/* Every page once, in an order without pattern: a full-period sequence modulo the next power of two, skipping what lies beyond the end. */
static uint64_t verify_at_random(const uint64_t *memory, uint64_t pages)
{
    uint64_t modulus = 1, wrong = 0, done = 0, begun = now_ns(), last = 0;
    unsigned bits = 0;
    for (; modulus < pages; modulus *= 2) bits++;
    uint64_t at = 12345 % modulus;
    for (uint64_t step = 0; step < modulus; step++)
    {
        at = (at * 6364136223846793005u + 1442695040888963407u) & (modulus - 1);
        /* The low bits of such a sequence are regular: mix, one to one. */
        uint64_t page = at ^ (at >> (bits / 2));
        page = (page * 0x9E3779B1u) & (modulus - 1);
        page ^= page >> (bits / 2);
        if (page >= pages) continue;
        const volatile uint64_t *first = memory + page * PAGE_WORDS;
        uint64_t before = now_ns();
        (void)*first;
        buckets[bucket_of(now_ns() - before)]++;
        wrong += wrong_bytes(memory + page * PAGE_WORDS, page);
        if (++done % 64 == 0) progress("verify", done, pages, &last);
    }
    progress("verify", pages, pages, &last);
    phase_done("verify", done, begun);
    return wrong;
}

static void print_stats(void)
{
    size_t needed = rum_stats_json(NULL, 0);
    char *text = malloc(needed + 1);
    if (text == NULL) return;
    rum_stats_json(text, needed + 1);
    printf("stats ");
    for (const char *c = text; *c != 0; c++) putchar(*c == '\n' ? ' ' : *c);
    putchar('\n');
    free(text);
}

int main(int argc, char **argv)
{
    char *end = NULL;
    uint64_t mib = argc > 1 ? strtoull(argv[1], &end, 10) : 512;
    if (mib == 0 || mib > (1u << 24) || (end != NULL && *end != 0))
    {
        fprintf(stderr, "usage: demo [MIB]\n");
        return 2;
    }
    uint64_t pages = mib * ((1u << 20) / PAGE_BYTES);
    if (rum_init(NULL) != 0)
    {
        fprintf(stderr, "%s\n", rum_last_error());
        return 2;
    }
    uint64_t *memory = rum_alloc(pages * PAGE_BYTES);
    if (memory == NULL)
    {
        fprintf(stderr, "%s\n", rum_last_error());
        rum_end();
        return 2;
    }
    fill(memory, pages);
    uint64_t wrong = verify_at_random(memory, pages);
    for (unsigned i = 0; i < BUCKETS; i++)
    {
        if (buckets[i] != 0) printf("access %llu %llu\n", (unsigned long long)bucket_lower(i), (unsigned long long)buckets[i]);
    }
    print_stats();
    printf("result %llu %llu\n", (unsigned long long)(pages * PAGE_BYTES), (unsigned long long)wrong);
    fflush(stdout);
    rum_free(memory);
    rum_end();
    return wrong == 0 ? 0 : 1;
}
