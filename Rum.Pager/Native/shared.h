/* What librum's C part shares with its C# part: the layouts of Heap/ThreadCache.cs and Heap/HeapSpan.cs.
 * The sizes are compared at rum_init, so that the two can't drift apart unnoticed. */
#ifndef RUM_NATIVE_SHARED_H
#define RUM_NATIVE_SHARED_H

#include <stddef.h>
#include <stdint.h>

enum { RUM_MAX_SMALL = 32 * 1024 - 1, RUM_CLASSES = 72, RUM_MESSAGE_BYTES = 1024 };
enum { RUM_SPAN_SLAB = 1 };
enum { RUM_OBJECT_USED = 1, RUM_OBJECT_CACHED = 2 };

struct rum_span {
    uintptr_t start;
    unsigned char *states;
    uint64_t magic;
    uint64_t idle_pages;
    uint32_t pages, object_size, count, free_count, hint, previous, next;
    uint8_t kind, size_class, dirty, listed;
};

struct rum_cached_object {
    uintptr_t address;
    unsigned char *state;
};

struct rum_class_cache {
    struct rum_cached_object *entries;
    int32_t count, capacity, batch, unused;
    int64_t allocated, freed;
};

struct rum_thread {
    uint64_t heap;
    uintptr_t base;
    size_t reserved;
    const uint32_t *map;
    struct rum_span *spans;
    int32_t thread_id;
    int32_t error;
    char message[RUM_MESSAGE_BYTES];
    struct rum_class_cache classes[RUM_CLASSES];
};

/* What the C# part exports to the C part, and to nobody else. Defined in Abi/Exports.*.cs. Keys and locations go by address; NULL: none. */
struct rum_thread *rum_managed_thread(void);
void *rum_managed_alloc(size_t size);
int rum_managed_free(void *pointer);
void rum_managed_return_half(int size_class);
int rum_managed_init(const char *machines_csv, const int64_t *layout);
int rum_managed_end(void);
void rum_managed_exit(void);
void *rum_managed_aligned_alloc(size_t alignment, size_t size);
void *rum_managed_calloc(size_t num, size_t size);
void *rum_managed_realloc(void *pointer, size_t size);
size_t rum_managed_usable_size(const void *pointer);
void *rum_managed_alloc_segment(size_t size, const void *key, const void *locations, int count, unsigned flags);
int rum_managed_free_key(void *pointer, const void *key);
void rum_managed_key(const char *name, void *key);
void *rum_managed_get(const void *key);
void *rum_managed_open(const char *name, int mode, size_t *size);
int rum_managed_close(void *pointer);
int rum_managed_prefetch(const void *pointer, size_t length);
int rum_managed_pin(const void *pointer, size_t length);
int rum_managed_unpin(const void *pointer, size_t length);
int rum_managed_flush(const void *pointer, size_t length);
int rum_managed_flush_cache(void);
size_t rum_managed_stats(char *buffer, size_t length, int json);
const char *rum_managed_error_name(int code);

/* The numbers of RumError that the C part gives itself. */
enum { RUM_ERROR_INVALID_ARGUMENT = 1, RUM_ERROR_NOT_INITIALIZED = 2, RUM_ERROR_INTERNAL = 23 };

_Static_assert(sizeof(struct rum_span) == 64, "one cache line");

#endif
