/*
 * librum_dpdk.so: DPDK's inline calls and the few structures that its headers alone know, as plain functions. C# reads mbuf fields by the offsets
 * that rum_dpdk_layout reports. Loaded only when the DPDK transport is asked for. Calls return 0 or a count, or a negative errno.
 */
#include <errno.h>
#include <net/if.h>
#include <semaphore.h>
#include <signal.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_version.h>

/* Raised when the functions or structures below change. */
#define ABI 1

#define EXPORT __attribute__((visibility("default")))

struct layout {
    uint32_t abi, version;
    uint32_t buf_addr, data_off, nb_segs, pkt_len, data_len, next;
    uint32_t headroom, mbuf_size, ol_flags, reserved;
};

struct port_info {
    char name[64];
    char driver[32];
    uint8_t mac[8];
    int32_t socket;
    uint32_t if_index;
    uint32_t kernel_mtu;
    uint32_t min_mtu, max_mtu, max_frame, min_rx_buffer;
    uint64_t rx_offloads, tx_offloads;
    uint32_t max_rx_queues, max_tx_queues;
};

struct port_setup {
    uint16_t queues, rx_descriptors, tx_descriptors;
    uint16_t mtu;
    uint64_t rx_offloads, tx_offloads;
    uint8_t interrupts, promiscuous;
};

struct port_counters {
    uint64_t frames_sent, frames_received, bytes_sent, bytes_received, missed, receive_errors, send_errors, no_buffer;
};

EXPORT void rum_dpdk_layout(struct layout *layout)
{
    *layout = (struct layout) {
        .abi = ABI,
        .version = RTE_VERSION,
        .buf_addr = offsetof(struct rte_mbuf, buf_addr),
        .data_off = offsetof(struct rte_mbuf, data_off),
        .nb_segs = offsetof(struct rte_mbuf, nb_segs),
        .pkt_len = offsetof(struct rte_mbuf, pkt_len),
        .data_len = offsetof(struct rte_mbuf, data_len),
        .next = offsetof(struct rte_mbuf, next),
        .headroom = RTE_PKTMBUF_HEADROOM,
        .mbuf_size = sizeof(struct rte_mbuf),
        .ol_flags = offsetof(struct rte_mbuf, ol_flags),
    };
}

EXPORT const char *rum_dpdk_version(void) { return rte_version(); }

EXPORT const char *rum_dpdk_error(int error) { return rte_strerror(error < 0 ? -error : error); }

EXPORT int rum_dpdk_init(int argc, char **argv)
{
    rte_errno = 0;
    if (rte_eal_init(argc, argv) >= 0) return 0;
    return rte_errno ? -rte_errno : -EINVAL;
}

EXPORT int rum_dpdk_attach(const char *devargs) { return rte_dev_probe(devargs); }

static void passed(void *semaphore) { sem_post(semaphore); }

/* virtio_user tidies a broken connection up in an alarm, which must not find the device gone. Alarms run in order: ours runs when the others have. */
static void settle(void)
{
    static sem_t done;
    sem_init(&done, 0, 0);
    for (int i = 0; i < 2; i++)
        if (rte_eal_alarm_set(1, passed, &done) == 0) while (sem_wait(&done) && errno == EINTR) continue;
}

/* A device whose peer is gone is told so by a write to a broken connection: that must not end a program which keeps the default of SIGPIPE. */
static void hold_sigpipe(sigset_t *before)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, before);
}

static void release_sigpipe(const sigset_t *before)
{
    sigset_t pipe;
    struct timespec now = { 0, 0 };
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    while (sigtimedwait(&pipe, NULL, &now) == SIGPIPE) continue;
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

EXPORT void rum_dpdk_stop(uint16_t port)
{
    sigset_t before;
    hold_sigpipe(&before);
    settle();
    rte_eth_dev_stop(port);
    release_sigpipe(&before);
}

EXPORT int rum_dpdk_detach(uint16_t port)
{
    struct rte_eth_dev_info info;
    int error = rte_eth_dev_info_get(port, &info);
    if (error) return error;
    struct rte_device *device = info.device;
    sigset_t before;
    hold_sigpipe(&before);
    rte_eth_dev_stop(port);
    settle();
    error = rte_eth_dev_close(port);
    if (!error || error == -ENODEV) error = rte_dev_remove(device);
    settle();
    release_sigpipe(&before);
    return error;
}

EXPORT int rum_dpdk_ports(uint16_t *ids, int max)
{
    int count = 0;
    uint16_t port;
    RTE_ETH_FOREACH_DEV(port) if (count < max) ids[count++] = port;
    return count;
}

static uint32_t kernel_mtu(uint32_t if_index)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (!if_index || !if_indextoname(if_index, request.ifr_name)) return 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return 0;
    int failed = ioctl(fd, SIOCGIFMTU, &request);
    close(fd);
    return failed ? 0 : (uint32_t)request.ifr_mtu;
}

/* The kernel's MTU is that of the calling thread's network namespace. */
EXPORT int rum_dpdk_port_info(uint16_t port, struct port_info *out)
{
    struct rte_eth_dev_info info;
    struct rte_ether_addr mac;
    memset(out, 0, sizeof *out);
    int error = rte_eth_dev_info_get(port, &info);
    if (error) return error;
    error = rte_eth_macaddr_get(port, &mac);
    if (error) return error;
    rte_eth_dev_get_name_by_port(port, out->name);
    if (info.driver_name) strncpy(out->driver, info.driver_name, sizeof out->driver - 1);
    memcpy(out->mac, mac.addr_bytes, sizeof mac.addr_bytes);
    out->socket = rte_eth_dev_socket_id(port);
    out->if_index = info.if_index;
    out->kernel_mtu = kernel_mtu(info.if_index);
    out->min_mtu = info.min_mtu;
    out->max_mtu = info.max_mtu;
    out->max_frame = info.max_rx_pktlen;
    out->min_rx_buffer = info.min_rx_bufsize;
    out->rx_offloads = info.rx_offload_capa;
    out->tx_offloads = info.tx_offload_capa;
    out->max_rx_queues = info.max_rx_queues;
    out->max_tx_queues = info.max_tx_queues;
    return 0;
}

EXPORT void *rum_dpdk_pool(const char *name, uint32_t count, uint32_t cache, uint32_t room, int socket)
{
    return rte_pktmbuf_pool_create(name, count, cache, 0, (uint16_t)room, socket);
}

EXPORT void rum_dpdk_pool_free(struct rte_mempool *pool) { rte_mempool_free(pool); }

EXPORT uint32_t rum_dpdk_pool_available(struct rte_mempool *pool) { return rte_mempool_avail_count(pool); }

EXPORT int rum_dpdk_configure(uint16_t port, const struct port_setup *setup, struct rte_mempool *pool)
{
    struct rte_eth_dev_info info;
    int error = rte_eth_dev_info_get(port, &info);
    if (error) return error;
    struct rte_eth_conf conf;
    memset(&conf, 0, sizeof conf);
    conf.rxmode.mtu = setup->mtu;
    conf.rxmode.offloads = setup->rx_offloads;
    conf.txmode.offloads = setup->tx_offloads;
    conf.intr_conf.rxq = setup->interrupts;
    conf.intr_conf.lsc = info.dev_flags && (*info.dev_flags & RTE_ETH_DEV_INTR_LSC);
    if (setup->queues > 1) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_L2_PAYLOAD);
        if (!conf.rx_adv_conf.rss_conf.rss_hf) conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
    }
    error = rte_eth_dev_configure(port, setup->queues, setup->queues, &conf);
    if (error) return error;
    uint16_t receive = setup->rx_descriptors, send = setup->tx_descriptors;
    error = rte_eth_dev_adjust_nb_rx_tx_desc(port, &receive, &send);
    if (error) return error;
    for (uint16_t queue = 0; queue < setup->queues; queue++) {
        error = rte_eth_rx_queue_setup(port, queue, receive, rte_eth_dev_socket_id(port), NULL, pool);
        if (error) return error;
        error = rte_eth_tx_queue_setup(port, queue, send, rte_eth_dev_socket_id(port), NULL);
        if (error) return error;
    }
    error = rte_eth_dev_start(port);
    if (error) return error;
    if (setup->promiscuous) rte_eth_promiscuous_enable(port);
    return 0;
}

/* A link that changes, and a queue that a vhost peer enables (the link is up with the first of them), makes the eventfd readable. */
static int link_changed(uint16_t port, enum rte_eth_event_type type, void *event, void *result)
{
    (void)port, (void)type, (void)result;
    eventfd_write((int)(intptr_t)event, 1);
    return 0;
}

EXPORT int rum_dpdk_watch_link(uint16_t port, int event)
{
    int error = rte_eth_dev_callback_register(port, RTE_ETH_EVENT_QUEUE_STATE, link_changed, (void *)(intptr_t)event);
    return error ? error : rte_eth_dev_callback_register(port, RTE_ETH_EVENT_INTR_LSC, link_changed, (void *)(intptr_t)event);
}

EXPORT void rum_dpdk_unwatch_link(uint16_t port, int event)
{
    while (rte_eth_dev_callback_unregister(port, RTE_ETH_EVENT_INTR_LSC, link_changed, (void *)(intptr_t)event) == -EAGAIN) usleep(100);
    while (rte_eth_dev_callback_unregister(port, RTE_ETH_EVENT_QUEUE_STATE, link_changed, (void *)(intptr_t)event) == -EAGAIN) usleep(100);
}

EXPORT int rum_dpdk_link(uint16_t port)
{
    struct rte_eth_link link;
    int error = rte_eth_link_get_nowait(port, &link);
    return error ? error : link.link_status;
}

EXPORT int rum_dpdk_counters(uint16_t port, struct port_counters *out)
{
    struct rte_eth_stats stats;
    int error = rte_eth_stats_get(port, &stats);
    if (error) return error;
    *out = (struct port_counters) {
        stats.opackets, stats.ipackets, stats.obytes, stats.ibytes, stats.imissed, stats.ierrors, stats.oerrors, stats.rx_nombuf,
    };
    return 0;
}

EXPORT uint16_t rum_dpdk_receive(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max)
{
    uint16_t count = rte_eth_rx_burst(port, queue, mbufs, max);
    for (uint16_t i = 0; i < count; i++) rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
    return count;
}

EXPORT uint16_t rum_dpdk_send(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
    return rte_eth_tx_burst(port, queue, mbufs, count);
}

EXPORT int rum_dpdk_alloc(struct rte_mempool *pool, struct rte_mbuf **mbufs, uint32_t count)
{
    return rte_pktmbuf_alloc_bulk(pool, mbufs, count);
}

EXPORT void rum_dpdk_free(struct rte_mbuf **mbufs, uint32_t count) { rte_pktmbuf_free_bulk(mbufs, count); }

static void returned(void *address, void *opaque) { (void)address, (void)opaque; }

/* The count says how many payloads a port still holds, plus one. */
EXPORT void rum_dpdk_share(struct rte_mbuf_ext_shared_info *shared)
{
    shared->free_cb = returned;
    shared->fcb_opaque = NULL;
    rte_mbuf_ext_refcnt_set(shared, 1);
}

EXPORT uint32_t rum_dpdk_shared(struct rte_mbuf_ext_shared_info *shared) { return rte_mbuf_ext_refcnt_read(shared); }

/* Chains a segment that points to foreign memory behind a head. */
EXPORT void rum_dpdk_chain(struct rte_mbuf *head, struct rte_mbuf *segment, void *address, uint16_t length, struct rte_mbuf_ext_shared_info *shared)
{
    rte_mbuf_ext_refcnt_update(shared, 1);
    rte_pktmbuf_attach_extbuf(segment, address, RTE_BAD_IOVA, length, shared);
    segment->data_len = length;
    segment->pkt_len = length;
    segment->next = NULL;
    head->next = segment;
    head->nb_segs = 2;
    head->pkt_len = head->data_len + length;
}

EXPORT int rum_dpdk_interrupt_descriptor(uint16_t port, uint16_t queue) { return rte_eth_dev_rx_intr_ctl_q_get_fd(port, queue); }

EXPORT int rum_dpdk_interrupt_enable(uint16_t port, uint16_t queue) { return rte_eth_dev_rx_intr_enable(port, queue); }

EXPORT int rum_dpdk_interrupt_disable(uint16_t port, uint16_t queue) { return rte_eth_dev_rx_intr_disable(port, queue); }

/* This process's next socket of a family from a descriptor on; of a packet socket the interface must be this one. -1: none. */
EXPORT int rum_dpdk_socket(int family, uint32_t if_index, int first)
{
    for (int fd = first; fd < 65536; fd++) {
        int domain = 0;
        socklen_t length = sizeof domain;
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) || domain != family) continue;
        struct sockaddr_ll name;
        length = sizeof name;
        if (if_index && (getsockname(fd, (struct sockaddr *)&name, &length) || name.sll_ifindex != (int)if_index)) continue;
        return fd;
    }
    return -1;
}

EXPORT int rum_dpdk_register_thread(void)
{
    if (rte_lcore_id() != LCORE_ID_ANY) return 0;
    return rte_thread_register() ? -rte_errno : 0;
}

EXPORT void rum_dpdk_unregister_thread(void)
{
    if (rte_lcore_id() != LCORE_ID_ANY) rte_thread_unregister();
}

EXPORT int rum_dpdk_huge_pages(void) { return rte_eal_has_hugepages(); }
