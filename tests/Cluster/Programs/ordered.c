/*
 * Named memory for snapshots. "write": fills two named segments, then goes on to write a page and, when that is flushed, a page in another extent, until its input ends: so no cut may hold the
 * second without the first. "verify": opens them and looks. Pages that are lost are counted.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "rum.h"

enum { Page = 4096, Words = Page / 8, Step = 8, Pairs = 32, Extent = 64 << 20 };

static const size_t Bytes = (size_t)Extent + (16 << 20), SingleBytes = 4 << 20;
static sigjmp_buf recover;

static void on_fault(int number)
{
    (void)number;
    siglongjmp(recover, 1);
}

static uint64_t word_of(size_t page, size_t word)
{
    return (page + 1) * 0x9e3779b97f4a7c15u + word;
}

static int failed(const char *what)
{
    printf("error %s: %s\n", what, rum_last_error());
    return 1;
}

static void fill(volatile uint64_t *memory, size_t bytes)
{
    for (size_t page = 0; page < bytes / Page; page += Step)
        for (size_t word = 0; word < Words; word++) memory[page * Words + word] = word_of(page, word);
}

/* The first words of pages that are no multiples of Step: the writer's two of a pair, in the first extent and in the second. */
static volatile uint64_t *first_of(volatile uint64_t *memory, int pair) { return memory + ((size_t)pair * Step + 1) * Words; }
static volatile uint64_t *second_of(volatile uint64_t *memory, int pair) { return memory + (Extent / Page + (size_t)pair * Step + 1) * Words; }

static int verify(volatile uint64_t *memory, size_t bytes, const char *name)
{
    volatile size_t wrong = 0, lost = 0, right = 0;
    for (volatile size_t page = 0; page < bytes / Page; page++) {
        if (sigsetjmp(recover, 1)) { lost++; continue; }
        /* Neither the pattern nor the pairs: it must be zeros still. */
        int pair = page % Step == 1;
        for (size_t word = pair ? 1 : 0; word < Words; word++) {
            uint64_t is = memory[page * Words + word], due = page % Step == 0 ? word_of(page, word) : 0;
            if (is != due) { wrong++; break; }
        }
        right++;
    }
    printf("%s: %zu pages right, %zu wrong, %zu lost\n", name, right - wrong, wrong, lost);
    return wrong != 0;
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (rum_init(NULL) != 0) return failed("rum_init");
    if (count > 1 && strcmp(arguments[1], "verify") == 0) {
        struct sigaction action = {.sa_handler = on_fault};
        sigaction(SIGBUS, &action, NULL);
        volatile uint64_t *memory = rum_open("ordered", RUM_READ, NULL), *single = rum_open("single", RUM_READ, NULL);
        if (memory == NULL || single == NULL) return failed("rum_open");
        int wrong = verify(memory, Bytes, "ordered") | verify(single, SingleBytes, "single");
        volatile int broken = 0, pairs = 0;
        volatile uint64_t most = 0;
        for (volatile int pair = 0; pair < Pairs; pair++) {
            if (sigsetjmp(recover, 1)) continue;
            uint64_t first = *first_of(memory, pair), second = *second_of(memory, pair);
            if (second > first || first > second + 1) broken++;
            if (first > most) most = first;
            pairs++;
        }
        printf("order: %d pairs, %d broken, up to %llu\n", pairs, broken, (unsigned long long)most);
        return wrong || broken != 0;
    }
    HASH_TYPE key = rum_key("ordered"), other = rum_key("single");
    volatile uint64_t *memory = rum_alloc_segment(Bytes, &key, NULL, RUM_COPIES(2)), *single = rum_alloc_segment(SingleBytes, &other, NULL, RUM_COPIES(1));
    if (memory == NULL || single == NULL) return failed("rum_alloc_segment");
    fill(memory, Bytes);
    fill(single, SingleBytes);
    if (rum_flush_cache() != 0) return failed("rum_flush_cache");
    printf("filled\n");
    for (uint64_t round = 1;; round++) {
        for (int pair = 0; pair < Pairs; pair++) {
            struct pollfd in = {0, POLLIN, 0};
            if (poll(&in, 1, 0) > 0) { printf("stopped in round %llu\n", (unsigned long long)round); return rum_end(); }
            *first_of(memory, pair) = round;
            if (rum_flush((const void *)first_of(memory, pair), 8) != 0) return failed("rum_flush");
            *second_of(memory, pair) = round;
            if (rum_flush((const void *)second_of(memory, pair), 8) != 0) return failed("rum_flush");
        }
        if (round == 1) printf("goes on\n");
    }
}
