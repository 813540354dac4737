// What a program sees of a silo's death: one thread reads pages that are in the silos, another writes pages and flushes each, both for --seconds; after a second of it a process is killed with
// SIGKILL. One line of JSON for each thread: the time of one operation, and as "longest_us" that of the longest from the kill on.
// Usage: stall --kill PID [--seconds N] [--peers PID,...]
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "measure.h"
#include "rum.h"

// Every fifth page of five extents: all silos have a part. The cache holds an eighth of them.
enum { PAGES = 16384, STEP = 5, PAGE = 4096 };

static const size_t bytes = (size_t)PAGES * STEP * PAGE;
static atomic_int killed, over;

struct worker {
    volatile char *memory;
    struct histogram times;
    uint64_t longest;
    int writes;
};

static void failed(void) {
    fprintf(stderr, "stall: %s\n", rum_last_error());
    exit(3);
}

static void *work(void *argument) {
    struct worker *worker = argument;
    uint64_t state = 7 + (uint64_t)worker->writes;
    char stamp = 1;
    while (!atomic_load(&over)) {
        volatile char *page = worker->memory + next_random(&state) % PAGES * STEP * PAGE;
        uint64_t begun = now_ns();
        if (worker->writes) {
            *page = ++stamp;
            if (rum_flush((const void *)page, PAGE) != 0) failed();
        } else {
            (void)*page;
        }
        uint64_t now = now_ns();
        record(&worker->times, now - begun);
        // Also what was under way when it was killed.
        if (atomic_load(&killed) && now - begun > worker->longest) worker->longest = now - begun;
    }
    return NULL;
}

static volatile char *filled(void) {
    volatile char *memory = rum_alloc_segment(bytes, NULL, NULL, RUM_COPIES(2));
    if (memory == NULL) failed();
    for (size_t page = 0; page < PAGES; page++) memory[page * STEP * PAGE] = 1;
    if (rum_flush((const void *)memory, bytes) != 0) failed();
    return memory;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"kill", 1, 0, 'k'}, {"seconds", 1, 0, 's'}, {"peers", 1, 0, 'P'}, {0, 0, 0, 0}};
    static struct worker workers[2];
    const char *peers = NULL;
    unsigned seconds = 5;
    pid_t victim = 0;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
            case 'k': victim = atoi(optarg); break;
            case 's': seconds = (unsigned)atoi(optarg); break;
            case 'P': peers = optarg; break;
            default: return 2;
        }
    }
    if (victim <= 0 || rum_init(NULL) != 0) {
        fprintf(stderr, "stall: %s\n", victim <= 0 ? "whom to kill?" : rum_last_error());
        return 3;
    }
    pthread_t threads[2];
    struct cpu_use before = cpu_now(peers);
    for (int i = 0; i < 2; i++) {
        workers[i] = (struct worker){.memory = filled(), .writes = i};
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0) return 2;
    }
    sleep(1);
    atomic_store(&killed, 1);
    if (kill(victim, SIGKILL) != 0) return 2;
    sleep(seconds);
    atomic_store(&over, 1);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        printf("{\"name\":\"stall.%s\",\"p50_us\":%.4f,\"p99_us\":%.4f,\"longest_us\":%.0f,\"ops_per_s\":%.0f,", i == 0 ? "read" : "write", percentile_us(&workers[i].times, 0.5),
               percentile_us(&workers[i].times, 0.99), (double)workers[i].longest / 1000, (double)workers[i].times.total / (seconds + 1));
        print_disturbance(before, cpu_now(peers));
    }
    rum_end();
    return 0;
}
