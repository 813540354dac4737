// What an allocation costs, one line of JSON per figure (floor.c has glibc's malloc in the same run):
//   heap.64, heap.4096   rum_alloc + rum_free from the heap in librum.so, per pair; percentiles are of 64 pairs, divided
//   alloc.1m             rum_alloc + rum_free of 1 MiB of the session's anonymous segment
//   alloc.named          a named segment of 1 MiB made and freed: two decrees of the council, each on its disk
// Usage: heap [--cpu N] [--peers PID,...]
#include <getopt.h>

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
    static unsigned number;
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

int main(int argc, char **argv) {
    static const struct option options[] = {{"cpu", 1, 0, 'c'}, {"peers", 1, 0, 'P'}, {0, 0, 0, 0}};
    const char *peers = NULL;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
            case 'c': pin(atoi(optarg)); break;
            case 'P': peers = optarg; break;
            default: return 2;
        }
    }
    if (rum_init(NULL) != 0) {
        fprintf(stderr, "heap: %s\n", rum_last_error());
        return 3;
    }
    measure("heap.64", 64, 64, 0.3, peers);
    measure("heap.4096", 4096, 64, 0.3, peers);
    measure("alloc.1m", 1 << 20, 1, 0.5, peers);
    measure("alloc.named", 0, 1, 0.5, peers);
    rum_end();
    return 0;
}
