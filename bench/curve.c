// Slow-down curve: what a program loses when only a part of its memory is local. It reads whole pages of a region, in order (sequential), at random
// (random), or with the skew of key-value workloads (zipf, exponent 0.99, ranks scattered over the region), and does one of two things with each:
//   light  sums its words up, a fifth of a microsecond: all that counts is where the page is
//   heavy  hashes its bytes one after the other, some microseconds: nearer to a program that works on what it reads
// --memory local takes the same memory from this machine: what the curve is compared with. One line of JSON per pattern and kind of work.
//
// Usage: curve --name PREFIX --suffix TEXT [--memory remote|local] [--mib 128] [--seconds 1] [--cpu N] [--peers PID,...]
#include <getopt.h>
#include <math.h>

#include "measure.h"
#include "rum.h"

enum { PAGE = 4096, WORDS = PAGE / 8, PATTERNS = 3, WORKS = 2 };

static const char *const pattern_names[PATTERNS] = {"sequential", "random", "zipf"};
static const char *const work_names[WORKS] = {"light", "heavy"};

static unsigned char *memory;
static uint64_t pages, wrong;
static double zipf_total, zipf_second;
static volatile uint64_t sink;

static uint64_t sum_words(const unsigned char *page) {
    const uint64_t *words = (const uint64_t *)page;
    uint64_t sum = 0;
    for (int i = 0; i < WORDS; i++) sum += words[i];
    return sum;
}

static uint64_t hash_bytes(const unsigned char *page) {  // FNV-1a
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < PAGE; i++) hash = (hash ^ page[i]) * 0x100000001b3u;
    return hash;
}

static const double THETA = 0.99;

static void prepare_zipf(void) {
    zipf_total = 0;
    for (uint64_t i = 1; i <= pages; i++) zipf_total += 1.0 / pow((double)i, THETA);
    zipf_second = 1.0 + pow(0.5, THETA);
}

// Rank 0 is the most wanted: the inverse of the distribution function, approximated as in Gray et al., SIGMOD 1994.
static uint64_t zipf_rank(uint64_t *seed) {
    double u = (double)(next_random(seed) >> 11) / 9007199254740992.0, uz = u * zipf_total;
    if (uz < 1.0) return 0;
    if (uz < zipf_second) return 1;
    double alpha = 1.0 / (1.0 - THETA);
    double eta = (1.0 - pow(2.0 / (double)pages, 1.0 - THETA)) / (1.0 - zipf_second / zipf_total);
    uint64_t rank = (uint64_t)((double)pages * pow(eta * u - eta + 1.0, alpha));
    return rank < pages ? rank : pages - 1;
}

static uint64_t choose(int pattern, uint64_t step, uint64_t *seed) {
    if (pattern == 0) return step % pages;
    if (pattern == 1) return next_random(seed) % pages;
    return zipf_rank(seed) * 0x9e3779b97f4a7c15u % pages;  // neighbours in rank are no neighbours in memory
}

static void visit(int pattern, int work, uint64_t step, uint64_t *seed) {
    uint64_t page = choose(pattern, step, seed);
    const unsigned char *bytes = memory + page * PAGE;
    sink += work == 0 ? sum_words(bytes) : hash_bytes(bytes);
    if (*(const uint64_t *)bytes != page + 1) wrong++;
}

static void measure(const char *name, const char *suffix, int pattern, int work, double seconds, const char *peers) {
    uint64_t seed = 0x2545f4914f6cdd1du, step = 0;
    // What is resident must be what this pattern leaves there: as many visits as the region has pages, not counted, but no longer than the measurement.
    for (uint64_t end = now_ns() + (uint64_t)(seconds * 1e9); step < pages && now_ns() < end; step++) visit(pattern, work, step, &seed);
    struct histogram *times = calloc(1, sizeof *times);
    struct cpu_use before = cpu_now(peers);
    uint64_t start = now_ns(), end = start + (uint64_t)(seconds * 1e9), now = start, done = 0;
    while (now < end) {
        visit(pattern, work, step++, &seed);
        uint64_t then = now_ns();
        record(times, then - now);
        now = then;
        done++;
    }
    printf("{\"name\":\"%s.%s.%s.%s\",\"p50_us\":%.3f,\"p99_us\":%.3f,\"ops_per_s\":%.0f,", name, pattern_names[pattern], work_names[work], suffix,
           percentile_us(times, 0.5), percentile_us(times, 0.99), (double)done * 1e9 / (double)(now - start));
    print_disturbance(before, cpu_now(peers));
    free(times);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"name", 1, 0, 'n'}, {"suffix", 1, 0, 'x'}, {"memory", 1, 0, 'M'}, {"mib", 1, 0, 'm'}, {"seconds", 1, 0, 's'},
                                            {"cpu", 1, 0, 'c'},  {"peers", 1, 0, 'P'},  {0, 0, 0, 0}};
    const char *name = "curve", *suffix = "", *peers = NULL;
    uint64_t mib = 128;
    double seconds = 1;
    int local = 0;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
            case 'n': name = optarg; break;
            case 'x': suffix = optarg; break;
            case 'M': local = strcmp(optarg, "local") == 0; break;
            case 'm': mib = strtoull(optarg, NULL, 10); break;
            case 's': seconds = strtod(optarg, NULL); break;
            case 'c': pin(atoi(optarg)); break;
            case 'P': peers = optarg; break;
            default: return 2;
        }
    }
    if (mib == 0 || seconds <= 0) {
        fprintf(stderr, "curve: --mib and --seconds must be above 0\n");
        return 2;
    }
    pages = mib * 256;
    size_t size = (size_t)mib << 20;
    if (!local && rum_init(NULL) != 0) {
        fprintf(stderr, "curve: %s\n", rum_last_error());
        return 3;
    }
    memory = local ? map_pages(size) : rum_alloc(size);
    if (memory == NULL) {
        fprintf(stderr, "curve: %s\n", rum_last_error());
        return 3;
    }
    for (uint64_t p = 0; p < pages; p++) fill_page(memory + p * PAGE, p);
    prepare_zipf();
    for (int pattern = 0; pattern < PATTERNS; pattern++)
        for (int work = 0; work < WORKS; work++) measure(name, suffix, pattern, work, seconds, peers);
    if (wrong != 0) fprintf(stderr, "curve: %lu visits found another page's number\n", wrong);
    if (!local) {
        rum_free(memory);
        rum_end();
    }
    return wrong == 0 ? 0 : 1;
}
