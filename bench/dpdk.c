// The bare DPDK loop that RUM's transport is compared with: a request of 142 bytes, an answer with a page, between two processes that poll.
//   dpdk --server DEVICE --client DEVICE [--server-net FILE] [--cpu A] [--server-cpu B] [--depth N] [--ops N]
// DEVICE as behind --vdev; --server-net: the network namespace of the server's interface.
#include "measure.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

enum { HEADERS = 14 + 128, PAGE_BYTES = 4096, PAGES = 1024, BURST = 32, DEPTH_MAX = 256 };

struct settings {
    const char *server, *client, *server_net;
    int cpu, server_cpu, depth;
    long operations;
};

static struct rte_mempool *pool;

static void fail(const char *what) {
    fprintf(stderr, "dpdk: %s failed\n", what);
    exit(2);
}

static void start(const char *device, int cpu) {
    // The packet socket's driver wants room for a slot of its ring.
    uint16_t room = strncmp(device, "net_af_packet", 13) == 0 ? 8320 : 4480;
    char vdev[512], lcores[32], prefix[64];
    snprintf(vdev, sizeof vdev, "--vdev=%s", device);
    snprintf(lcores, sizeof lcores, "0@%d", cpu < 0 ? 0 : cpu);
    snprintf(prefix, sizeof prefix, "--file-prefix=rum-bench-%d", getpid());
    char *arguments[] = {"dpdk", "--no-huge", "-m", "128", "--no-shconf", "--no-pci", "--no-telemetry", "--log-level=4", "--lcores", lcores, prefix, vdev};
    if (rte_eal_init((int)(sizeof arguments / sizeof *arguments), arguments) < 0) fail("rte_eal_init");
    pool = rte_pktmbuf_pool_create("pool", 4095, 128, 0, (uint16_t)(room + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
    if (pool == NULL) fail("rte_pktmbuf_pool_create");
    struct rte_eth_conf conf = {.rxmode = {.offloads = 0}};
    if (rte_eth_dev_configure(0, 1, 1, &conf) || rte_eth_rx_queue_setup(0, 0, 1024, SOCKET_ID_ANY, NULL, pool) || rte_eth_tx_queue_setup(0, 0, 1024, SOCKET_ID_ANY, NULL) ||
        rte_eth_dev_start(0))
        fail("the port's start");
}

// The answer's buffer is filled as a server's is: headers and the bytes of one of many pages.
static void serve(unsigned char *pages) {
    uint32_t page = 0;
    for (;;) {
        struct rte_mbuf *in[BURST], *out[BURST];
        uint16_t count = rte_eth_rx_burst(0, 0, in, BURST), sent = 0;
        if (count == 0) continue;
        if (rte_pktmbuf_alloc_bulk(pool, out, count)) fail("rte_pktmbuf_alloc_bulk");
        for (uint16_t i = 0; i < count; i++) {
            unsigned char *data = rte_pktmbuf_mtod(out[i], unsigned char *);
            memcpy(data, rte_pktmbuf_mtod(in[i], unsigned char *), HEADERS);
            memcpy(data + HEADERS, pages + (size_t)(page++ * 7 % PAGES) * PAGE_BYTES, PAGE_BYTES);
            out[i]->data_len = HEADERS + PAGE_BYTES;
            out[i]->pkt_len = HEADERS + PAGE_BYTES;
        }
        rte_pktmbuf_free_bulk(in, count);
        while (sent < count) sent = (uint16_t)(sent + rte_eth_tx_burst(0, 0, out + sent, (uint16_t)(count - sent)));
    }
}

static void ask(int slot, uint64_t *sent_at) {
    struct rte_mbuf *request = rte_pktmbuf_alloc(pool);
    if (request == NULL) fail("rte_pktmbuf_alloc");
    unsigned char *data = rte_pktmbuf_mtod(request, unsigned char *);
    memset(data, 0, HEADERS);
    memcpy(data + 14, &slot, sizeof slot);
    request->data_len = HEADERS;
    request->pkt_len = HEADERS;
    sent_at[slot] = now_ns();
    while (rte_eth_tx_burst(0, 0, &request, 1) == 0) continue;
}

static void measure(const struct settings *settings, long operations, struct histogram *histogram, unsigned char *pages) {
    uint64_t sent_at[DEPTH_MAX];
    long asked = 0, answered = 0;
    for (int slot = 0; slot < settings->depth && asked < operations; slot++, asked++) ask(slot, sent_at);
    while (answered < operations) {
        struct rte_mbuf *in[BURST];
        uint16_t count = rte_eth_rx_burst(0, 0, in, BURST);
        for (uint16_t i = 0; i < count; i++) {
            unsigned char *data = rte_pktmbuf_mtod(in[i], unsigned char *);
            int slot;
            memcpy(&slot, data + 14, sizeof slot);
            memcpy(pages + (size_t)(answered % PAGES) * PAGE_BYTES, data + HEADERS, PAGE_BYTES);
            record(histogram, now_ns() - sent_at[slot]);
            rte_pktmbuf_free(in[i]);
            answered++;
            if (asked < operations) {
                ask(slot, sent_at);
                asked++;
            }
        }
    }
}

int main(int argc, char **argv) {
    struct settings settings = {.cpu = -1, .server_cpu = -1, .depth = 1, .operations = 200000};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--server") == 0) settings.server = argv[i + 1];
        else if (strcmp(argv[i], "--client") == 0) settings.client = argv[i + 1];
        else if (strcmp(argv[i], "--server-net") == 0) settings.server_net = argv[i + 1];
        else if (strcmp(argv[i], "--cpu") == 0) settings.cpu = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--server-cpu") == 0) settings.server_cpu = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--depth") == 0) settings.depth = atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--ops") == 0) settings.operations = atol(argv[i + 1]);
    }
    if (settings.depth < 1 || settings.depth > DEPTH_MAX) fail("--depth");
    if (settings.server == NULL || settings.client == NULL) fail("--server and --client");
    unsigned char *pages = map_pages((size_t)PAGES * PAGE_BYTES);
    memset(pages, 0x5a, (size_t)PAGES * PAGE_BYTES);
    int ready[2];
    if (pipe(ready)) fail("pipe");
    pid_t server = fork();
    if (server == 0) {
        int net = settings.server_net == NULL ? -1 : open(settings.server_net, O_RDONLY | O_CLOEXEC);
        if (settings.server_net != NULL && (net < 0 || setns(net, CLONE_NEWNET))) fail("--server-net");
        start(settings.server, settings.server_cpu);
        if (write(ready[1], "r", 1) != 1) fail("write");
        serve(pages);
    }
    close(ready[1]);
    char one;
    if (read(ready[0], &one, 1) != 1) fail("the server's start");
    start(settings.client, settings.cpu);
    static struct histogram warm, histogram;
    measure(&settings, settings.operations / 10, &warm, pages);
    char peer[16];
    snprintf(peer, sizeof peer, "%d", server);
    struct cpu_use before = cpu_now(peer);
    uint64_t begun = now_ns();
    measure(&settings, settings.operations, &histogram, pages);
    double seconds = (double)(now_ns() - begun) / 1e9;
    struct cpu_use after = cpu_now(peer);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    printf("{\"p50_us\":%.2f,\"p99_us\":%.2f,\"ops_per_s\":%.0f,", percentile_us(&histogram, 0.5), percentile_us(&histogram, 0.99), (double)settings.operations / seconds);
    print_disturbance(before, after);
    return 0;
}
