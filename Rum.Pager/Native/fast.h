/* What librum's C part shares with its C# part: the layouts of Heap/ThreadCache.cs and Heap/HeapSpan.cs.
 * The sizes are compared at rum_init, so that the two can't drift apart unnoticed. */
#ifndef RUM_NATIVE_FAST_H
#define RUM_NATIVE_FAST_H

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

_Static_assert(sizeof(struct rum_span) == 64, "one cache line");

#endif
