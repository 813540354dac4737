/*
 * RUM: memory that lives in silos across the network and is used by plain loads and stores.
 *
 *   #include <rum.h>
 *
 *   if (rum_init(NULL) != 0) { fprintf(stderr, "%s\n", rum_last_error()); return 1; }
 *   char *memory = rum_alloc((size_t)8 << 30);
 *   ... use it ...
 *   rum_free(memory);
 *   rum_end();
 *
 * Every function may be called from any thread. Functions that return a pointer return NULL when they fail, the others that can fail return
 * 0 or an error code; rum_last_error() then says why in words. A load or store can't return an error: while its page can't be had it waits
 * (RUM_FAULT_TIMEOUT seconds, default for ever), then the process gets SIGBUS; at once where its silo is gone for good (ShardLost).
 *
 * A child made by fork() has none of the parent's remote memory and may only exec or _exit; its calls fail.
 *
 * Settings come from the environment: RUM_MACHINES (a machines.csv, instead of rum_init(NULL)'s local silo), RUM_CACHE (local bytes, 64M),
 * RUM_TRANSPORT (auto, shm, udp, dpdk), RUM_DPDK (EAL arguments, see docs/DPDK.md), RUM_UDP_PAYLOAD (bytes per frame, 256 to 4096; by the path's MTU), RUM_PAGER (auto, move, copy), RUM_FAULT_TIMEOUT
 * and RUM_LEASE (seconds), RUM_LOG (error, warn, info, debug), RUM_FAULT (handler, inline).
 *
 * RUM_FAULT=inline: the faulting thread fetches its page itself, out of SIGBUS, instead of waiting for a thread of the library. Faster, and no privilege is
 * needed; in return system calls on remote memory that isn't pinned (rum_pin) fail with EFAULT, futexes (so mutexes) must not stand in remote memory, no
 * thread may block SIGBUS, and a handler of SIGBUS is to be installed before rum_init. docs/FAULTS.md has it all.
 *
 * Where pages are copied (RUM_PAGER=copy, kernels before 6.8) direct I/O into remote memory (O_DIRECT, io_uring with fixed buffers, RDMA) is only safe
 * while the memory is pinned (rum_pin): the kernel then can't tell that a device still writes to a page. rum_init says so on stderr.
 *
 * C11 and C++17. In C++ rum_alloc, rum_free and rum_get are overloaded as below; in C the names with a suffix do the same.
 */
#ifndef RUM_INCLUDE_RUM_H
#define RUM_INCLUDE_RUM_H

#include <stddef.h>

#include "Location.h"
#include "hash_type.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How rum_open opens a named segment. */
#define RUM_READ 0           /* read-only: stores fail with SIGSEGV */
#define RUM_WRITE 1          /* for writing: fails while another session writes */
#define RUM_WRITE_ELSE_READ 2 /* for writing if nobody does, else read-only */

/* Flags of rum_alloc_segment. */
#define RUM_SPARSE 1u        /* charge nothing up front; a later store may then find the silos full */
#define RUM_RACKS 2u         /* copies in different racks, as far as there are so many */
#define RUM_COPIES(n) ((unsigned)(n) << 8) /* 1 to 5 copies of each page, each on another silo */

/*
 * Connects to the silos. machines_csv: a file with a line "ip[:port],mac" per silo; NULL: RUM_MACHINES, else the silo of "rum silo run --dev" on this
 * machine. Returns 0 or an error code.
 */
int rum_init(const char *machines_csv);

/* Writes named segments back, gives all anonymous memory up and disconnects. Remote pointers are invalid afterwards. Returns 0 or an error code. */
int rum_end(void);

/* Allocates size bytes, contents undefined, aligned for every type. Below 32 KiB no round trip and no page of its own. */
void *rum_alloc(size_t size);

/* Allocates at a multiple of alignment, a power of two. */
void *rum_aligned_alloc(size_t alignment, size_t size);

/* The same under its older name. */
void *rum_memalign(size_t alignment, size_t size);

/* Allocates num * size bytes of zeros. */
void *rum_calloc(size_t num, size_t size);

/* Makes an allocation larger or smaller, in place or elsewhere; NULL leaves the old one as it is. (NULL, size) allocates, (pointer, 0) frees.
 * A named segment that is open more than once in this process can't be resized (SegmentBusy): the others would go on by its old size. */
void *rum_realloc(void *pointer, size_t size);

/*
 * Gives memory back. Any pointer that an allocating function returned: anonymous memory and segments that are open for writing are freed, a segment that
 * is open read-only is closed. NULL does nothing. Returns 0, or an error code for a pointer that RUM didn't give out or that was freed already (nothing
 * is changed then).
 */
int rum_free(void *pointer);

/* Bytes that may be used at a pointer that an allocating function returned; 0 for others. */
size_t rum_usable_size(const void *pointer);

/* A segment of its own on the silo at a place. */
void *rum_alloc_location(size_t size, Location location);

/* A named segment, which outlives the program. Fails when the key exists. */
void *rum_alloc_hash(size_t size, HASH_TYPE key);

/* A named segment on the silo at a place. */
void *rum_alloc_hash_location(size_t size, HASH_TYPE key, Location location);

/*
 * A segment of its own: key NULL for an anonymous one, location NULL for anywhere, flags 0 or RUM_SPARSE, RUM_RACKS, RUM_COPIES(n) combined. A sparse segment
 * may be far larger than what the silos hold. With RUM_COPIES(n), 1 to 5, each page is on n silos; with RUM_RACKS in different racks where there
 * are so many. Without: what the variable RUM_COPIES says, else as the cluster is configured.
 */
void *rum_alloc_segment(size_t size, const HASH_TYPE *key, const Location *location, unsigned flags);

/*
 * The same with a copy of all of it on each of count silos, 1 to 5, those at the locations; the first is read. Not in the original. Flags 0 or RUM_SPARSE. The copies
 * stay where they are: one whose silo ends is made again when that silo is back, nowhere else. A place that is no silo of the cluster: UnknownSilo; one silo
 * twice: InvalidArgument.
 */
void *rum_alloc_segment_on(size_t size, const HASH_TYPE *key, const Location *locations, unsigned count, unsigned flags);

/* Frees a named segment by its key. The pointer is where it is mapped; the location is not needed to find it. */
int rum_free_hash(void *pointer, HASH_TYPE key);
int rum_free_location_hash(Location location, HASH_TYPE key);

/* The key of a name of any length. */
HASH_TYPE rum_key(const char *name);

/* Maps a named segment: for writing if nobody writes it, else read-only. The location is not needed to find it. */
void *rum_get(HASH_TYPE key, Location location);

/* Maps a named segment. name: 32 hex digits are a key, anything else is a name. *size (may be NULL) becomes its size in bytes. */
void *rum_open(const char *name, int mode, size_t *size);

/* Writes a mapped segment back and unmaps it; one that was opened more than once, at its last close. A named segment stays in the silos. After Timeout
 * (with RUM_FAULT_TIMEOUT) it is mapped still. */
int rum_close(void *pointer);

/* Starts fetching a range; doesn't wait. A hint. */
int rum_prefetch(const void *pointer, size_t length);

/* Fetches a range and keeps it local until rum_unpin with the same range. Pins nest. */
int rum_pin(const void *pointer, size_t length);
int rum_unpin(const void *pointer, size_t length);

/* Returns when every store made before is acknowledged by the silos. (NULL, 0): everything. */
int rum_flush(const void *pointer, size_t length);

/* Flushes everything and empties the local cache. */
int rum_flush_cache(void);

/* Prints counters to stdout. */
void rum_stats(void);

/* Writes the counters as JSON with a zero byte; returns the bytes that the whole text has without it, as snprintf does. */
size_t rum_stats_json(char *buffer, size_t length);

/* What went wrong last in this thread, in words ("" for nothing) and as a code (0 for nothing). Valid until the thread's next failing call. */
const char *rum_last_error(void);
int rum_last_error_code(void);

/* The name of a code, such as "OutOfMemory"; docs/ERRORS.md lists them. Never NULL. */
const char *rum_error_name(int code);

#ifdef __cplusplus
}

inline void *rum_alloc(size_t size, Location location) { return rum_alloc_location(size, location); }
inline void *rum_alloc(size_t size, HASH_TYPE key) { return rum_alloc_hash(size, key); }
inline void *rum_alloc(size_t size, HASH_TYPE key, Location location) { return rum_alloc_hash_location(size, key, location); }
inline int rum_free(void *pointer, HASH_TYPE key) { return rum_free_hash(pointer, key); }
inline int rum_free(Location location, HASH_TYPE key) { return rum_free_location_hash(location, key); }
#endif

#endif
