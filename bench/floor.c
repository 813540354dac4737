// Floors that need nothing of RUM: what the machine itself can do. One line of JSON per figure.
//   kernel.touch   first touch of anonymous memory, one page per fault
//   memcpy         copies of 4 KiB pages between two regions far larger than the caches; percentiles are of 16 copies, divided
//   malloc.64, malloc.4096   malloc + free, per pair; percentiles are of 64 pairs, divided
// Usage: floor [--cpu N]
#include "measure.h"

enum { PAGE = 4096, PAGES = 65536, COPIES = 16 };

static struct histogram times;
static struct cpu_use before;
static uint64_t begun, last;

static void begin(void) {
    memset(&times, 0, sizeof times);
    before = cpu_now(NULL);
    begun = last = now_ns();
}

static void lap(void) {
    uint64_t now = now_ns();
    record(&times, now - last);
    last = now;
}

// each: operations per lap.
static void report(const char *name, int each) {
    printf("{\"name\":\"%s\",\"p50_us\":%.4f,\"p99_us\":%.4f,\"ops_per_s\":%.0f,", name, percentile_us(&times, 0.5) / each,
           percentile_us(&times, 0.99) / each, (double)times.total * each * 1e9 / (double)(last - begun));
    print_disturbance(before, cpu_now(NULL));
}

static void measure_malloc(const char *name, size_t size) {
    enum { LAPS = 20000, PAIRS = 64 };
    begin();
    for (int i = 0; i < LAPS; i++) {
        for (int j = 0; j < PAIRS; j++) {
            void *volatile block = malloc(size);
            free(block);
        }
        lap();
    }
    report(name, PAIRS);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--cpu") == 0) pin(atoi(argv[2]));
    unsigned char *m = map_pages((size_t)PAGES * PAGE);
    begin();
    for (size_t p = 0; p < PAGES; p++) {
        m[p * PAGE] = 1;
        lap();
    }
    report("kernel.touch", 1);

    unsigned char *copy = map_pages((size_t)PAGES * PAGE);
    for (int round = 0; round < 3; round++) {  // the first round touches
        if (round == 1) begin();
        for (size_t p = 0; p < PAGES; p++) {
            memcpy(copy + p * PAGE, m + p * PAGE, PAGE);
            if (round > 0 && p % COPIES == COPIES - 1) lap();
        }
    }
    report("memcpy", COPIES);
    measure_malloc("malloc.64", 64);
    measure_malloc("malloc.4096", 4096);
    return 0;
}
