// A peer's answer to the same question: 4 KiB values by random key from redis-server or memcached on loopback, one request outstanding
// (--depth 1) or many. One line of JSON.
// Usage: peer --protocol redis|memcached --port N [--op get|set] [--keys 65536] [--ops 100000] [--depth 1] [--cpu N] [--peers PID,...]
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "measure.h"

enum { VALUE = 4096, REQUEST = VALUE + 256, ANSWER = 1 << 20 };

static int connection;
static int is_redis, is_get = 1;
static char answers[ANSWER];
static size_t answer_begin, answer_end;
static char value[VALUE];

static void die(const char *what) {
    fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
    exit(3);
}

static void connect_to(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connection < 0 || connect(connection, (struct sockaddr *)&to, sizeof to) != 0) die("connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void send_all(const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t n = write(connection, bytes, length);
        if (n <= 0) die("write");
        bytes += n;
        length -= (size_t)n;
    }
}

static size_t format_request(char *to, uint64_t key, int get) {
    int n;
    if (is_redis)
        n = get ? sprintf(to, "*2\r\n$3\r\nGET\r\n$10\r\nk%09lu\r\n", key) : sprintf(to, "*3\r\n$3\r\nSET\r\n$10\r\nk%09lu\r\n$%d\r\n", key, VALUE);
    else
        n = get ? sprintf(to, "get k%09lu\r\n", key) : sprintf(to, "set k%09lu 0 0 %d\r\n", key, VALUE);
    if (get) return (size_t)n;
    memcpy(to + n, value, VALUE);
    memcpy(to + n + VALUE, "\r\n", 2);
    return (size_t)n + VALUE + 2;
}

static void more(void) {
    if (answer_begin > 0) {
        memmove(answers, answers + answer_begin, answer_end - answer_begin);
        answer_end -= answer_begin;
        answer_begin = 0;
    }
    ssize_t n = read(connection, answers + answer_end, ANSWER - answer_end);
    if (n <= 0) die("read");
    answer_end += (size_t)n;
}

static void take_line(char *to, size_t size) {
    for (;;) {
        char *end = memchr(answers + answer_begin, '\n', answer_end - answer_begin);
        if (end != NULL) {
            size_t n = (size_t)(end - (answers + answer_begin)) + 1;
            if (n >= size) die("an answer line is too long");
            memcpy(to, answers + answer_begin, n);
            to[n] = 0;
            answer_begin += n;
            return;
        }
        more();
    }
}

static void take_answer(int get) {
    char line[256];
    take_line(line, sizeof line);
    if (!get) {
        if (strncmp(line, is_redis ? "+OK" : "STORED", is_redis ? 3 : 6) != 0) die(line);
        return;
    }
    if (strncmp(line, is_redis ? "$4096" : "VALUE ", is_redis ? 5 : 6) != 0) die(line);
    while (answer_end - answer_begin < VALUE + 2) more();
    if (memcmp(answers + answer_begin, value, 64) != 0) die("wrong value");
    answer_begin += VALUE + 2;
    if (!is_redis) take_line(line, sizeof line);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"protocol", 1, 0, 'p'}, {"port", 1, 0, 'P'},  {"op", 1, 0, 'o'},  {"keys", 1, 0, 'k'},
                                            {"ops", 1, 0, 'n'},      {"depth", 1, 0, 'd'}, {"cpu", 1, 0, 'c'}, {"peers", 1, 0, 'f'}, {0, 0, 0, 0}};
    uint64_t keys = 65536, operations = 100000, depth = 1, seed = 0x9e3779b97f4a7c15u;
    int port = 6379;
    const char *peers = NULL;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (o) {
            case 'p': is_redis = strcmp(optarg, "redis") == 0; break;
            case 'P': port = atoi(optarg); break;
            case 'o': is_get = strcmp(optarg, "get") == 0; break;
            case 'k': keys = strtoull(optarg, NULL, 10); break;
            case 'n': operations = strtoull(optarg, NULL, 10); break;
            case 'd': depth = strtoull(optarg, NULL, 10); break;
            case 'c': pin(atoi(optarg)); break;
            case 'f': peers = optarg; break;
            default: return 2;
        }
    }
    if (keys == 0 || operations == 0 || depth == 0 || depth > 64) {
        fprintf(stderr, "peer: --keys and --ops must be above 0, --depth from 1 to 64\n");
        return 2;
    }
    for (int i = 0; i < VALUE; i++) value[i] = (char)('a' + i % 26);
    connect_to(port);
    static char request[64 * REQUEST];
    for (uint64_t k = 0; k < keys; k++) {
        send_all(request, format_request(request, k, 0));
        take_answer(0);
    }
    struct histogram *times = calloc(1, sizeof *times);
    struct cpu_use before = cpu_now(peers);
    uint64_t start = now_ns(), done = 0;
    while (done < operations) {
        uint64_t batch = depth < operations - done ? depth : operations - done;
        size_t length = 0;
        for (uint64_t i = 0; i < batch; i++) length += format_request(request + length, (next_random(&seed) >> 1) % keys, is_get);
        uint64_t t = now_ns();
        send_all(request, length);
        for (uint64_t i = 0; i < batch; i++) take_answer(is_get);
        record(times, now_ns() - t);
        done += batch;
    }
    uint64_t elapsed = now_ns() - start;
    struct cpu_use after = cpu_now(peers);
    printf("{\"p50_us\":%.2f,\"p99_us\":%.2f,\"ops_per_s\":%.0f,", percentile_us(times, 0.5), percentile_us(times, 0.99),
           (double)done * 1e9 / (double)elapsed);
    print_disturbance(before, after);
    free(times);
    close(connection);
    return 0;
}
