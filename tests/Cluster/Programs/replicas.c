/*
 * Writes and reads back whole pages with two copies for as long as it is told to go on, and says how long the longest read and the longest write took: what a
 * silo's death must not spoil. A line "flush" makes it flush and say so, "stop" makes it look through everything and end. Argument: a seed.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rum.h"

/* Every fifth page of 160 MiB: three extents, so that several silos have a part. */
enum { Pages = 8192, Step = 5, Words = 512 };

static const size_t Bytes = (size_t)Pages * Step * 4096;
static volatile uint64_t *memory;
static uint64_t expected[Pages];
static uint64_t operations, bytes_verified;
static double longest_read, longest_write;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* Each word differs from its neighbours, and from the same word of every other stamp. */
static uint64_t word_of(uint64_t stamp, size_t word)
{
    return stamp * 0x9e3779b97f4a7c15u + word;
}

static void write_page(size_t page, uint64_t stamp)
{
    volatile uint64_t *at = memory + page * Step * Words;
    double before = now_ms();
    for (size_t word = 0; word < Words; word++) at[word] = word_of(stamp, word);
    double took = now_ms() - before;
    if (took > longest_write) longest_write = took;
    expected[page] = stamp;
}

static int read_page(size_t page)
{
    volatile uint64_t *at = memory + page * Step * Words;
    double before = now_ms();
    for (size_t word = 0; word < Words; word++) {
        if (at[word] == word_of(expected[page], word)) continue;
        size_t wrong = 0, zero = 0;
        for (size_t i = 0; i < Words; i++) {
            wrong += at[i] != word_of(expected[page], i);
            zero += at[i] == 0;
        }
        printf("WRONG page %zu (the segment's %zu), write %llu, word %zu: %llx instead of %llx; %zu words are wrong, %zu are zero. Errors: %s\n", page, page * Step,
               (unsigned long long)expected[page], word, (unsigned long long)at[word], (unsigned long long)word_of(expected[page], word), wrong, zero, rum_last_error());
        return 1;
    }
    double took = now_ms() - before;
    if (took > longest_read) longest_read = took;
    bytes_verified += Words * sizeof(uint64_t);
    return 0;
}

/* "" while there is nothing to read; "stop" at the end of the input, too. */
static const char *told(void)
{
    static char line[16];
    struct pollfd in = {0, POLLIN, 0};
    if (poll(&in, 1, 0) <= 0) return "";
    return fgets(line, sizeof(line), stdin) == NULL || strncmp(line, "stop", 4) == 0 ? "stop" : "flush";
}

static void say(const char *what)
{
    printf("%s after %llu operations\n", what, (unsigned long long)operations);
    fflush(stdout);
}

static int failed(void)
{
    fprintf(stderr, "%s\n", rum_last_error());
    return 2;
}

int main(int count, char **arguments)
{
    uint64_t random = 88172645463325252u + (count > 1 ? strtoull(arguments[1], NULL, 10) : 0), stamp = 0;
    /* Whole lines through poll: nothing may wait in a buffer of the library. */
    setvbuf(stdin, NULL, _IONBF, 0);
    if (rum_init(NULL) != 0) return failed();
    memory = rum_alloc_segment(Bytes, NULL, NULL, RUM_COPIES(2));
    if (!memory) return failed();
    for (size_t page = 0; page < Pages; page++) write_page(page, ++stamp);
    longest_write = 0;
    say("filled");
    for (;; operations++) {
        if (operations % 64 == 0) {
            const char *line = told();
            if (*line == 's') break;
            if (*line == 'f') {
                if (rum_flush((const void *)memory, Bytes) != 0) return failed();
                say("flushed");
            }
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        size_t page = random % Pages;
        if (random >> 62 == 0) write_page(page, ++stamp);
        else if (read_page(page) != 0) return 1;
    }
    for (size_t page = 0; page < Pages; page++) {
        if (read_page(page) != 0) return 1;
    }
    printf(
        "operations=%llu bytes_verified=%llu longest_read_stall_ms=%.0f longest_write_stall_ms=%.0f lost: 0\n", (unsigned long long)operations,
        (unsigned long long)bytes_verified, longest_read, longest_write);
    return 0;
}
