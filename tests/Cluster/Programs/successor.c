/*
 * Four programs. "write": makes the segment of that name with two copies, fills and flushes it, says so, and writes pages of it until it is killed. "succeed": opens it
 * for writing when the writer's session is over, reads all of it and says so; for each line "again" it empties its cache and reads all of it once more, which must be
 * the same, byte for byte; "stop" ends it. "leave" makes a segment with one copy, at the silo that is the third argument, writes and closes it; "open" opens it for
 * writing, once. Arguments: which, and the segment's name.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rum.h"

/* Every ninth page of 144 MiB: three extents, so that several silos have a part. */
enum { Pages = 4096, Step = 9, Words = 512, Tries = 1200 };

static const size_t Bytes = (size_t)Pages * Step * 4096;

static void write_page(volatile uint64_t *memory, size_t page, uint64_t stamp)
{
    for (size_t word = 0; word < Words; word++) memory[page * Step * Words + word] = stamp << 16 | word;
}

static int failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, rum_last_error());
    return 2;
}

static void say(const char *what)
{
    puts(what);
    fflush(stdout);
}

static int write_for_ever(const char *name)
{
    HASH_TYPE key = rum_key(name);
    volatile uint64_t *memory = rum_alloc_segment(Bytes, &key, NULL, RUM_COPIES(2));
    if (!memory) return failed("alloc");
    uint64_t stamp = 0, random = 88172645463325252u;
    for (size_t page = 0; page < Pages; page++) write_page(memory, page, ++stamp);
    if (rum_flush((const void *)memory, Bytes) != 0) return failed("flush");
    say("flushed");
    for (;;) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        write_page(memory, random % Pages, ++stamp);
        if (stamp == Pages + 20000) say("writes on");
    }
}

/* A page that the writer was killed in the middle of may have words of two stamps, but none older than what was flushed. */
static int read_all(const volatile uint64_t *memory, uint64_t *copy, int again)
{
    for (size_t page = 0; page < Pages; page++) {
        for (size_t word = 0; word < Words; word++) {
            uint64_t is = memory[page * Step * Words + word], *was = copy + page * Words + word;
            if ((is & 0xffff) != word || is >> 16 < page + 1 || (again && is != *was)) {
                printf("WRONG page %zu word %zu: %llx after %llx\n", page, word, (unsigned long long)is, (unsigned long long)*was);
                return 1;
            }
            *was = is;
        }
    }
    return 0;
}

static int succeed(const char *name)
{
    volatile uint64_t *memory = NULL;
    for (int i = 0; !memory && i < Tries; i++) {
        memory = rum_open(name, RUM_WRITE, NULL);
        struct timespec pause = {0, 50000000};
        if (!memory) nanosleep(&pause, NULL);
    }
    if (!memory) return failed("open");
    uint64_t *copy = calloc(Pages, Words * sizeof(uint64_t));
    if (!copy || read_all(memory, copy, 0) != 0) return 1;
    say("read");
    char line[16];
    while (fgets(line, sizeof(line), stdin) != NULL && strncmp(line, "again", 5) == 0) {
        if (rum_flush_cache() != 0) return failed("flush_cache");
        if (read_all(memory, copy, 1) != 0) return 1;
        say("the same");
    }
    write_page(memory, 7, 1u << 30);
    if (rum_close((void *)memory) != 0) return failed("close");
    say("closed");
    return 0;
}

static int leave(const char *name, const char *silo)
{
    Location there;
    memset(&there, 0, sizeof there);
    snprintf((char *)there.ip_addr, sizeof there.ip_addr, "%s", silo);
    char *memory = rum_alloc_hash_location(4096, rum_key(name), there);
    if (!memory) return failed("alloc");
    strcpy(memory, "left");
    if (rum_close(memory) != 0) return failed("close");
    say("left");
    return 0;
}

static int open_once(const char *name)
{
    say("opens");
    char *memory = rum_open(name, RUM_WRITE, NULL);
    if (!memory) return failed("open");
    say("opened");
    return 0;
}

int main(int count, char **arguments)
{
    if (count < 3) return 1;
    if (rum_init(NULL) != 0) return failed("init");
    if (count == 4) return leave(arguments[2], arguments[3]);
    if (strcmp(arguments[1], "open") == 0) return open_once(arguments[2]);
    return strcmp(arguments[1], "write") == 0 ? write_for_ever(arguments[2]) : succeed(arguments[2]);
}
