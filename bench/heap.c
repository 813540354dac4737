// What an allocation costs, one line of JSON per figure (floor.c has glibc's malloc in the same run):
//   heap.64, heap.4096   rum_alloc + rum_free from the heap in librum.so, per pair; percentiles are of 64 pairs, divided
//   alloc.1m             rum_alloc + rum_free of 1 MiB of the session's anonymous segment
//   alloc.named          a named segment of 1 MiB made and freed: two decrees of the council, each on its disk
//   alloc.named.pipelined  the same by 16 threads: the rate is of segments, the times are those of one thread
//   open.1m, open.1g     a named segment of this size, that was written and closed, opened for writing
// Usage: heap [--cpu N] [--peers PID,...] [--named]
// --named: only the named segments.
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>

#include "measure.h"
#include "rum.h"

static struct histogram times;

static void allocate(size_t size) {
    void *volatile block = rum_alloc(size);
    if (block == NULL || rum_free(block) != 0) {
        fprintf(stderr, "heap: %s\n", rum_last_error());
        exit(3);
    }
}

static void allocate_named(void) {
    static atomic_uint number;
    char name[64];
    snprintf(name, sizeof name, "bench-%d-%u", getpid(), number++);
    HASH_TYPE key = rum_key(name);
    void *block = rum_alloc_hash(1 << 20, key);
    if (block == NULL || rum_free_hash(block, key) != 0) {
        fprintf(stderr, "heap: %s\n", rum_last_error());
        exit(3);
    }
}

// size 0: a named segment.
static void measure(const char *name, size_t size, int each, double seconds, const char *peers) {
    memset(&times, 0, sizeof times);
    struct cpu_use before = cpu_now(peers);
    uint64_t begun = now_ns(), end = begun + (uint64_t)(seconds * 1e9), last = begun;
    while (last < end) {
        for (int i = 0; i < each; i++) {
            if (size == 0)
                allocate_named();
            else
                allocate(size);
        }
        uint64_t now = now_ns();
        record(&times, now - last);
        last = now;
    }
    printf("{\"name\":\"%s\",\"p50_us\":%.4f,\"p99_us\":%.4f,\"ops_per_s\":%.0f,", name, percentile_us(&times, 0.5) / each,
           percentile_us(&times, 0.99) / each, (double)times.total * each * 1e9 / (double)(last - begun));
    print_disturbance(before, cpu_now(peers));
}

enum { THREADS = 16 };

static uint64_t ends;

static void *allocate_beside(void *own) {
    struct histogram *mine = own;
    for (uint64_t last = now_ns(); last < ends;) {
        allocate_named();
        uint64_t now = now_ns();
        record(mine, now - last);
        last = now;
    }
    return NULL;
}

static void measure_pipelined(double seconds, const char *peers) {
    static struct histogram own[THREADS];
    pthread_t threads[THREADS];
    struct cpu_use before = cpu_now(peers);
    uint64_t begun = now_ns();
    ends = begun + (uint64_t)(seconds * 1e9);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, allocate_beside, &own[i]) != 0) exit(2);
    memset(&times, 0, sizeof times);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        for (unsigned b = 0; b < BUCKETS; b++) times.count[b] += own[i].count[b];
        times.total += own[i].total;
    }
    printf("{\"name\":\"alloc.named.pipelined\",\"p50_us\":%.4f,\"p99_us\":%.4f,\"ops_per_s\":%.0f,", percentile_us(&times, 0.5),
           percentile_us(&times, 0.99), (double)times.total * 1e9 / (double)(now_ns() - begun));
    print_disturbance(before, cpu_now(peers));
}

// A page of each MiB is written once. The closes between the opens aren't timed.
static void measure_open(const char *name, size_t size, int opens, const char *peers) {
    char key[64];
    snprintf(key, sizeof key, "bench-open-%d-%s", getpid(), name);
    HASH_TYPE hash = rum_key(key);
    Location anywhere;
    memset(&anywhere, 0, sizeof anywhere);
    volatile char *memory = rum_alloc_segment(size, &hash, NULL, RUM_SPARSE);
    for (size_t at = 0; memory != NULL && at < size; at += 1 << 20) memory[at] = 1;
    if (memory == NULL || rum_close((void *)memory) != 0) goto failed;
    memset(&times, 0, sizeof times);
    struct cpu_use before = cpu_now(peers);
    uint64_t sum = 0;
    for (int i = 0; i < opens; i++) {
        uint64_t begun = now_ns();
        void *again = rum_open(key, RUM_WRITE, NULL);
        uint64_t took = now_ns() - begun;
        if (again == NULL || rum_close(again) != 0) goto failed;
        record(&times, took);
        sum += took;
    }
    printf("{\"name\":\"%s\",\"p50_us\":%.4f,\"p99_us\":%.4f,\"ops_per_s\":%.0f,", name, percentile_us(&times, 0.5), percentile_us(&times, 0.99),
           opens * 1e9 / (double)sum);
    print_disturbance(before, cpu_now(peers));
    if (rum_free_location_hash(anywhere, hash) == 0) return;
failed:
    fprintf(stderr, "heap: %s\n", rum_last_error());
    exit(3);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"cpu", 1, 0, 'c'}, {"peers", 1, 0, 'P'}, {"named", 0, 0, 'n'}, {0, 0, 0, 0}};
    const char *peers = NULL;
    int named = 0;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
            case 'c': pin(atoi(optarg)); break;
            case 'P': peers = optarg; break;
            case 'n': named = 1; break;
            default: return 2;
        }
    }
    if (rum_init(NULL) != 0) {
        fprintf(stderr, "heap: %s\n", rum_last_error());
        return 3;
    }
    if (!named) {
        measure("heap.64", 64, 64, 0.3, peers);
        measure("heap.4096", 4096, 64, 0.3, peers);
        measure("alloc.1m", 1 << 20, 1, 0.5, peers);
    }
    measure("alloc.named", 0, 1, named ? 2 : 0.5, peers);
    measure_pipelined(named ? 3 : 1, peers);
    if (!named) {
        measure_open("open.1m", 1 << 20, 200, peers);
        measure_open("open.1g", 1 << 30, 200, peers);
    }
    rum_end();
    return 0;
}
