// Fault benchmark: the application's own view of remote memory, one figure per run as a line of JSON.
//
// Fills a region several times larger than the local cache, then touches it by a pattern and times each touch with the
// processor's time-stamp counter. Touches below HIT_NS were resident and count as hits, the rest as faults. The pager's floor is the
// same program with RUM_TRANSPORT=floor (pages come from this process), so that everything but the transport is equal.
// The pattern idle touches nothing for --ops seconds and prints the processor time that program and --peers used meanwhile.
//
// --trace FILE also notes when each fault began and ended, in the form of the pager's and the silo's own (Rum.FastPath/Tracing): one thread.
//
// --memory local takes memory of this machine instead: what its own swap makes of it, in a control group with a limit (rum bench sets it up).
//
// Usage: fault --pattern read|write|mixed|scan|idle [--memory remote|local] [--mib 256] [--ops 200000] [--threads 1] [--cpu N] [--seed 1] [--peers PID,...]
//              [--trace FILE]
#include <getopt.h>
#include <pthread.h>
#include <x86intrin.h>

#include "measure.h"
#include "rum.h"

enum { PAGE = 4096, HIT_NS = 700, TOUCHED = 1, RESUMED = 8 };

enum pattern { READ, WRITE, MIXED, SCAN, IDLE };

struct worker {
    pthread_t thread;
    struct histogram faults;
    uint64_t hits;
    uint64_t sum;  // of what was read, so that no load is optimised away
    uint64_t seed;
    uint64_t wrong;
    int index;
};

static volatile unsigned char *memory;
static uint64_t pages, operations = 200000;
static enum pattern pattern = READ;
static int threads = 1, cpu = -1, local;
static const char *peers, *trace_path;
static uint64_t *trace;  // moments by twos; NULL: none
static uint64_t traced;
static double ns_per_tick;
static pthread_barrier_t start_line;

static void calibrate(void) {
    uint64_t n0 = now_ns(), t0 = __rdtsc();
    while (now_ns() - n0 < 20000000) {}
    ns_per_tick = (double)(now_ns() - n0) / (double)(__rdtsc() - t0);
}

// Every page carries its number in its first word, for good: whatever the pattern, a wrong page is noticed.
static void touch(struct worker *w, uint64_t page, int store) {
    volatile uint64_t *word = (volatile uint64_t *)(memory + page * PAGE);
    uint64_t t0 = __rdtsc();
    if (store)
        word[8] = t0;
    else
        w->sum += word[8];
    uint64_t ns = (uint64_t)((double)(__rdtsc() - t0) * ns_per_tick);
    if (word[0] != page + 1) w->wrong++;
    if (ns < HIT_NS)
        w->hits++;
    else
        record(&w->faults, ns);
}

static void touch_traced(struct worker *w, uint64_t page, int store) {
    uint64_t before = w->faults.total, begun = now_ns();
    touch(w, page, store);
    uint64_t ended = now_ns();
    if (w->faults.total == before) return;
    trace[traced++] = begun << 4 | TOUCHED;
    trace[traced++] = ended << 4 | RESUMED;
}

static int write_trace(void) {
    FILE *f = fopen(trace_path, "wb");
    int good = f != NULL && fwrite(trace, sizeof *trace, traced, f) == traced;
    if (f != NULL && fclose(f) != 0) good = 0;
    if (!good) fprintf(stderr, "fault: %s can't be written: %s\n", trace_path, strerror(errno));
    return good;
}

static void *work(void *argument) {
    struct worker *w = argument;
    uint64_t share = operations / (uint64_t)threads;
    pthread_barrier_wait(&start_line);
    if (pattern == SCAN) {
        uint64_t first = pages / (uint64_t)threads * (uint64_t)w->index, length = pages / (uint64_t)threads;
        for (uint64_t i = 0; i < share; i++) touch(w, first + i % length, 0);
        return NULL;
    }
    for (uint64_t i = 0; i < share; i++) {
        uint64_t r = next_random(&w->seed);
        int store = pattern == WRITE || (pattern == MIXED && (r & 1));
        if (trace != NULL)
            touch_traced(w, (r >> 1) % pages, store);
        else
            touch(w, (r >> 1) % pages, store);
    }
    return NULL;
}

// Processor time of a process in nanoseconds, of its ended threads too; 0 where it is gone.
static uint64_t process_ns(pid_t pid) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0) return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int measure_idle(void) {
    pid_t peer = peers == NULL ? -1 : (pid_t)strtol(peers, NULL, 10);
    sleep(7);  // what the flush left to do, what the start leaves to compile, and the silo's web server, which rests after five seconds
    struct cpu_use before = cpu_now(peers);
    uint64_t own = process_ns(getpid()), silo = peer < 0 ? 0 : process_ns(peer);
    sleep((unsigned)operations);
    own = process_ns(getpid()) - own;
    silo = peer < 0 ? 0 : process_ns(peer) - silo;
    printf("{\"p50_us\":%.1f,\"client_us\":%.1f,\"silo_us\":%.1f,", (double)(own + silo) / 1e3 / (double)operations,
           (double)own / 1e3 / (double)operations, (double)silo / 1e3 / (double)operations);
    print_disturbance(before, cpu_now(peers));
    rum_end();
    return 0;
}

static enum pattern parse_pattern(const char *name) {
    static const char *const names[] = {"read", "write", "mixed", "scan", "idle"};
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0) return (enum pattern)i;
    fprintf(stderr, "fault: no pattern \"%s\"; there are read, write, mixed, scan, idle\n", name);
    exit(2);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"pattern", 1, 0, 'p'}, {"memory", 1, 0, 'M'}, {"mib", 1, 0, 'm'},  {"ops", 1, 0, 'o'}, {"threads", 1, 0, 't'},
                                            {"cpu", 1, 0, 'c'},     {"seed", 1, 0, 's'},   {"peers", 1, 0, 'P'}, {"trace", 1, 0, 'T'}, {0, 0, 0, 0}};
    uint64_t mib = 256, seed = 1;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
            case 'p': pattern = parse_pattern(optarg); break;
            case 'M': local = strcmp(optarg, "local") == 0; break;
            case 'm': mib = strtoull(optarg, NULL, 10); break;
            case 'o': operations = strtoull(optarg, NULL, 10); break;
            case 't': threads = atoi(optarg); break;
            case 'c': cpu = atoi(optarg); break;
            case 's': seed = strtoull(optarg, NULL, 10); break;
            case 'P': peers = optarg; break;
            case 'T': trace_path = optarg; break;
            default: return 2;
        }
    }
    if (mib == 0 || operations == 0 || threads < 1 || threads > 64) {
        fprintf(stderr, "fault: --mib and --ops must be above 0, --threads from 1 to 64\n");
        return 2;
    }
    if (trace_path != NULL && (threads != 1 || pattern == SCAN || pattern == IDLE)) {
        fprintf(stderr, "fault: --trace goes with one thread and read, write or mixed\n");
        return 2;
    }
    pin(cpu);
    calibrate();
    if (!local && rum_init(NULL) != 0) {
        fprintf(stderr, "fault: %s\n", rum_last_error());
        return 3;
    }
    pages = mib * 256;
    memory = local ? map_pages((size_t)mib << 20) : rum_alloc((size_t)mib << 20);
    if (memory == NULL) {
        fprintf(stderr, "fault: %s\n", rum_last_error());
        return 3;
    }
    for (uint64_t p = 0; p < pages; p++) fill_page((unsigned char *)memory + p * PAGE, p);
    if (!local) rum_flush_cache();

    if (pattern == IDLE) return measure_idle();

    if (trace_path != NULL) {
        size_t bytes = 2 * operations * sizeof *trace;
        trace = (uint64_t *)map_pages(bytes);
        memset(trace, 0, bytes);  // there before the first note
    }
    struct worker *workers = calloc((size_t)threads, sizeof *workers);
    pthread_barrier_init(&start_line, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++) {
        workers[i].index = i;
        workers[i].seed = seed * 0x9e3779b97f4a7c15u + (uint64_t)i + 1;
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    struct cpu_use before = cpu_now(peers);
    pthread_barrier_wait(&start_line);
    uint64_t n0 = now_ns();
    for (int i = 0; i < threads; i++) pthread_join(workers[i].thread, NULL);
    uint64_t elapsed = now_ns() - n0;
    struct cpu_use after = cpu_now(peers);
    if (trace != NULL && !write_trace()) return 3;

    struct histogram *all = calloc(1, sizeof *all);
    uint64_t hits = 0, wrong = 0;
    for (int i = 0; i < threads; i++) {
        for (int b = 0; b < BUCKETS; b++) all->count[b] += workers[i].faults.count[b];
        all->total += workers[i].faults.total;
        hits += workers[i].hits;
        wrong += workers[i].wrong;
    }
    uint64_t done = operations / (uint64_t)threads * (uint64_t)threads;
    printf("{\"p50_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%.2f,\"ops_per_s\":%.0f,\"faults_per_s\":%.0f,\"hits\":%lu,\"faults\":%lu,\"wrong\":%lu,",
           percentile_us(all, 0.50), percentile_us(all, 0.99), percentile_us(all, 0.999), (double)done * 1e9 / (double)elapsed,
           (double)all->total * 1e9 / (double)elapsed, hits, all->total, wrong);
    print_disturbance(before, after);
    if (!local) {
        rum_free((void *)memory);
        rum_end();
    }
    free(all);
    free(workers);
    return wrong == 0 ? 0 : 1;
}
