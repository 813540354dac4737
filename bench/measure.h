// What the benchmark programs share: clock, histogram, pinning, and how disturbed the machine was while a figure was taken.
#pragma once

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BUCKETS = 64 * 64 };

struct histogram {
    uint64_t count[BUCKETS];  // log-linear: 64 steps per power of two
    uint64_t total;
};

// Processor time in clock ticks: the whole machine's, and that of those who take part in the measurement.
struct cpu_use {
    uint64_t busy, steal, all, ours;
};

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t next_random(uint64_t *state) {  // xorshift64*, Vigna 2016
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 2685821657736338717u;
}

static inline unsigned bucket_of(uint64_t ns) {
    if (ns < 64) return (unsigned)ns;
    unsigned power = 63u - (unsigned)__builtin_clzll(ns);
    return (power - 5) * 64 + (unsigned)((ns >> (power - 6)) & 63);
}

static inline uint64_t lower_of(unsigned bucket) {
    if (bucket < 64) return bucket;
    unsigned power = bucket / 64 + 5;
    return (1ull << power) + ((uint64_t)(bucket % 64) << (power - 6));
}

static inline void record(struct histogram *h, uint64_t ns) {
    unsigned b = bucket_of(ns);
    h->count[b < BUCKETS ? b : BUCKETS - 1]++;
    h->total++;
}

static inline double percentile_us(const struct histogram *h, double fraction) {
    uint64_t rank = (uint64_t)((double)h->total * fraction), seen = 0;
    for (unsigned b = 0; b < BUCKETS; b++) {
        seen += h->count[b];
        if (seen > rank) return (double)lower_of(b) / 1000.0;
    }
    return 0;
}

// Memory of this machine in small pages.
static inline unsigned char *map_pages(size_t size) {
    unsigned char *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED) {
        fprintf(stderr, "can't map %zu bytes: %s\n", size, strerror(errno));
        exit(2);
    }
    madvise(m, size, MADV_NOHUGEPAGE);
    return m;
}

// A page's number plus one in its first word; half of it is noise, so that swap that compresses finds what it finds in programs: about two to one.
static inline void fill_page(unsigned char *page, uint64_t number) {
    uint64_t *words = (uint64_t *)page, seed = (number + 1) * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 256; i++) words[i] = next_random(&seed);
    for (int i = 256; i < 512; i++) words[i] = number;
    words[0] = number + 1;
}

static inline void pin(int to) {
    if (to < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(to, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        fprintf(stderr, "can't run on CPU %d: %s\n", to, strerror(errno));
        exit(2);
    }
}

// Adds user and system ticks of a process (fields 14 and 15 of proc(5) stat); 0 where it is gone.
static inline uint64_t process_ticks(long pid) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (f == NULL) return 0;
    uint64_t user = 0, system = 0;
    if (fgets(line, sizeof line, f) != NULL) {
        char *after = strrchr(line, ')');
        if (after != NULL) sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    }
    fclose(f);
    return user + system;
}

// peers: the process ids that serve the measurement, separated by commas, or NULL.
static inline struct cpu_use cpu_now(const char *peers) {
    struct cpu_use use = {0};
    FILE *f = fopen("/proc/stat", "r");
    if (f != NULL) {
        uint64_t v[8] = {0};
        if (fscanf(f, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) == 8) {
            for (int i = 0; i < 8; i++) use.all += v[i];
            use.busy = v[0] + v[1] + v[2] + v[5] + v[6];
            use.steal = v[7];
        }
        fclose(f);
    }
    use.ours = process_ticks(getpid());
    for (const char *p = peers; p != NULL && *p != 0;) {
        char *end;
        use.ours += process_ticks(strtol(p, &end, 10));
        p = *end == ',' ? end + 1 : NULL;
    }
    return use;
}

// Prints steal_pct and foreign_pct (both of the whole machine's time) as the last two members of an object.
static inline void print_disturbance(struct cpu_use from, struct cpu_use to) {
    double all = (double)(to.all - from.all), foreign = (double)(to.busy - from.busy) - (double)(to.ours - from.ours);
    printf("\"steal_pct\":%.2f,\"foreign_pct\":%.2f}\n", all > 0 ? 100.0 * (double)(to.steal - from.steal) / all : 0.0,
           all > 0 && foreign > 0 ? 100.0 * foreign / all : 0.0);
}
