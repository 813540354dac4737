// What an allocation costs: rum_alloc + rum_free of 64 bytes, per pair, beside glibc's malloc in the same run (floor.c prints that one alone).
// Usage: heap [--cpu N] [--pairs 20000000]
#include "measure.h"
#include "rum.h"

int main(int argc, char **argv) {
    uint64_t pairs = 20000000;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--cpu") == 0) pin(atoi(argv[i + 1]));
        if (strcmp(argv[i], "--pairs") == 0) pairs = strtoull(argv[i + 1], NULL, 10);
    }
    if (rum_init(NULL) != 0) {
        fprintf(stderr, "heap: %s\n", rum_last_error());
        return 3;
    }
    uint64_t best = UINT64_MAX;
    struct cpu_use before = cpu_now(NULL);
    for (int round = 0; round < 5; round++) {
        uint64_t t = now_ns();
        for (uint64_t i = 0; i < pairs / 5; i++) {
            void *volatile block = rum_alloc(64);
            rum_free(block);
        }
        t = now_ns() - t;
        if (t < best) best = t;
    }
    printf("{\"p50_us\":%.5f,\"ops_per_s\":%.0f,", (double)best / (double)(pairs / 5) / 1000.0, (double)(pairs / 5) * 1e9 / (double)best);
    print_disturbance(before, cpu_now(NULL));
    rum_end();
    return 0;
}
