/* What every test program shares: named tests, a clear line per failure, children that may crash. */
#ifndef CHECK_H
#define CHECK_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rum.h>

#define PAGE 4096

/* Ends the test with a line that says where and what. */
#define CHECK(condition, ...)                                                                            \
    do {                                                                                                 \
        if (!(condition)) {                                                                              \
            printf("FAILED %s:%d: %s: ", __FILE__, __LINE__, #condition);                                \
            printf(__VA_ARGS__);                                                                         \
            printf(" (last error: %s: %s)\n", rum_error_name(rum_last_error_code()), rum_last_error()); \
            fflush(stdout);                                                                              \
            _exit(1);                                                                                    \
        }                                                                                                \
    } while (0)

#define CHECK_ERROR(code, name) CHECK(strcmp(rum_error_name(code), name) == 0, "expected %s, got %s", name, rum_error_name(code))

struct test {
    const char *name;
    void (*run)(void);
};

static inline void begin(void) { CHECK(rum_init(NULL) == 0, "rum_init"); }

static inline void finish(void) { CHECK(rum_end() == 0, "rum_end"); }

static inline uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline void fill(void *memory, size_t bytes, uint64_t seed)
{
    uint64_t *word = (uint64_t *)memory;
    unsigned char *tail = (unsigned char *)memory + bytes / 8 * 8;
    for (size_t i = 0; i < bytes / 8; i++) word[i] = mix(seed + i);
    for (size_t i = 0; i < bytes % 8; i++) tail[i] = (unsigned char)mix(seed + i);
}

static inline void verify(const void *memory, size_t bytes, uint64_t seed)
{
    const uint64_t *word = (const uint64_t *)memory;
    const unsigned char *tail = (const unsigned char *)memory + bytes / 8 * 8;
    for (size_t i = 0; i < bytes / 8; i++) CHECK(word[i] == mix(seed + i), "word %zu of %zu is %llx", i, bytes / 8, (unsigned long long)word[i]);
    for (size_t i = 0; i < bytes % 8; i++) CHECK(tail[i] == (unsigned char)mix(seed + i), "byte %zu of the tail is %x", i, tail[i]);
}

/* A number out of rum_stats_json: group and name as in the text. */
static inline long long stat_of(const char *group, const char *name)
{
    char json[8192];
    CHECK(rum_stats_json(json, sizeof json) < sizeof json, "the statistics are too long");
    char key[64];
    snprintf(key, sizeof key, "\"%s\":{", group);
    const char *at = strstr(json, key);
    CHECK(at != NULL, "no group %s in %s", group, json);
    snprintf(key, sizeof key, "\"%s\":", name);
    at = strstr(at, key);
    CHECK(at != NULL, "no counter %s in %s", name, json);
    return strtoll(at + strlen(key), NULL, 10);
}

static inline double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Runs a test in this process: argv[1] names it; without one their names are listed. */
static inline int run(int argc, char **argv, const struct test *tests, size_t count)
{
    if (argc < 2) {
        for (size_t i = 0; i < count; i++) puts(tests[i].name);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tests[i].name, argv[1]) != 0) continue;
        tests[i].run();
        printf("ok %s\n", argv[1]);
        return 0;
    }
    printf("no test is named %s\n", argv[1]);
    return 2;
}

#define RUN(tests) run(argc, argv, tests, sizeof tests / sizeof *tests)

#endif
