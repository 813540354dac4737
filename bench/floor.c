// Floors that need nothing of RUM: what the machine itself can do. One line of JSON per figure.
//   kernel.touch   first touch of anonymous memory, one page per fault
//   memcpy         copies of 4 KiB pages between two regions far larger than the caches
//   malloc         malloc + free of 64 bytes, per pair
// Usage: floor [--cpu N]
#include <sys/mman.h>

#include "measure.h"

enum { PAGE = 4096, PAGES = 65536 };

static unsigned char *map(void) {
    unsigned char *m = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED) {
        perror("floor: mmap");
        exit(2);
    }
    madvise(m, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
    return m;
}

static void report(const char *name, uint64_t ns, uint64_t operations) {
    printf("{\"name\":\"%s\",\"p50_us\":%.4f,\"ops_per_s\":%.0f}\n", name, (double)ns / (double)operations / 1000.0,
           (double)operations * 1e9 / (double)ns);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--cpu") == 0) pin(atoi(argv[2]));
    unsigned char *m = map();
    uint64_t t = now_ns();
    for (size_t p = 0; p < PAGES; p++) m[p * PAGE] = 1;
    report("kernel.touch", now_ns() - t, PAGES);

    unsigned char *copy = map();
    for (int round = 0; round < 2; round++) {  // the first round touches
        t = now_ns();
        for (size_t p = 0; p < PAGES; p++) memcpy(copy + p * PAGE, m + p * PAGE, PAGE);
    }
    report("memcpy", now_ns() - t, PAGES);

    enum { PAIRS = 5000000 };
    t = now_ns();
    for (int i = 0; i < PAIRS; i++) {
        void *volatile block = malloc(64);
        free(block);
    }
    report("malloc.64", now_ns() - t, PAIRS);
    return 0;
}
