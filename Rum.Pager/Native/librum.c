/*
 * The C side of librum.so: the exported names, the fast path of rum_alloc and rum_free, and what must also work in a forked child or where no managed
 * code can run. Everything else is C# behind rum_managed_*.
 *
 * Why C: entering compiled managed code and leaving it costs 5 ns here, as much as glibc's malloc and free together. So the common case, an object
 * at hand in the thread's cache, never enters it. The rules of the structures are those of Heap/RemoteHeap.cs; nothing here touches remote memory.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../include/rum.h"
#include "../../include/rum_c_version.h"
#include "fault.h"
#include "hash.h"
#include "shared.h"

#define EXPORT __attribute__((visibility("default")))
#define ALIAS(name) __attribute__((visibility("default"), alias(#name)))

/* 8 bytes of static TLS: dlopen has room for them. Set at the thread's first call into managed code, never freed. */
static __thread struct rum_thread *self __attribute__((tls_model("initial-exec")));

/* Whether managed code runs in this process; a child of a process where it doesn't may use RUM as any other. */
static atomic_int entered;
static atomic_int forked;

/* Whether the thread ends: compiled managed code can't be entered from what runs after its own end there. */
static __thread int ending __attribute__((tls_model("initial-exec")));

/* A call into managed code. A signal handler that interrupts it finds rum_inside set and enters none. */
#define MANAGED(call)                   \
    __extension__({                     \
        rum_inside++;                   \
        __auto_type result_ = (call);   \
        rum_inside--;                   \
        result_;                        \
    })

static const char Forked[] = "this process is a fork()ed child of one that uses RUM: it has none of its remote memory. Call exec, or rum_init in the parent only.";

static void in_child(void)
{
    atomic_store(&forked, atomic_load(&entered));
    /* The child's copy: its objects at hand are the parent's memory, which the child doesn't have. */
    if (self != NULL) self->heap = 0;
}

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(NULL, NULL, in_child); }

/* A program that ends without rum_end gives its memory back at once and not only when its lease ends. */
static void at_exit(void)
{
    if (atomic_load(&forked)) return;
    rum_inside++;
    rum_managed_exit();
    rum_inside--;
}

extern int __cxa_thread_atexit_impl(void (*function)(void *), void *object, void *library);

static void ends(void *unused)
{
    (void)unused;
    ending = 1;
}

static struct rum_thread *thread(void)
{
    if (self == NULL && !atomic_load_explicit(&forked, memory_order_relaxed)) {
        static char library;
        atomic_store(&entered, 1);
        self = MANAGED(rum_managed_thread());
        /* After the runtime's own, so that it runs before it. */
        __cxa_thread_atexit_impl(ends, NULL, &library);
    }
    return self;
}

struct rum_thread *rum_thread_block(int attach)
{
    if (ending || atomic_load_explicit(&forked, memory_order_relaxed)) return NULL;
    return attach ? thread() : self;
}

static int fail(int code, const char *words)
{
    struct rum_thread *t = thread();
    if (t != NULL) {
        t->error = code;
        snprintf(t->message, sizeof t->message, "%s", words);
    }
    return code;
}

/*
 * Arguments are copied here before managed code sees them, and results after it: they may stand in remote memory, and a fault inside managed code would
 * keep the collector waiting for the pager, which waits for the collector.
 */
static char *local_copy(const char *text)
{
    char *copy = strdup(text == NULL ? "" : text);
    if (copy == NULL) fail(RUM_ERROR_INTERNAL, "this process is out of local memory.");
    return copy;
}

/* Whether managed code may be entered: not in a forked child, whose other threads are gone with the locks that they held. */
static int refused(void)
{
    if (!atomic_load_explicit(&forked, memory_order_relaxed)) {
        thread();
        return 0;
    }
    return fail(RUM_ERROR_NOT_INITIALIZED, Forked);
}

static inline int class_of(size_t size)
{
    uint32_t last = (uint32_t)size - 1;
    if (last < 128) return (int)(last >> 4);
    int log = 31 - __builtin_clz(last);
    return 8 + ((log - 7) << 3) + (int)((last >> (log - 3)) & 7);
}

EXPORT void *rum_alloc(size_t size)
{
    struct rum_thread *t = self;
    if (size - 1 < RUM_MAX_SMALL && t != NULL && t->heap != 0) {
        struct rum_class_cache *cache = &t->classes[class_of(size)];
        if (cache->count > 0) {
            struct rum_cached_object object = cache->entries[--cache->count];
            cache->allocated++;
            *object.state = RUM_OBJECT_USED;
            return (void *)object.address;
        }
    }
    return refused() ? NULL : MANAGED(rum_managed_alloc(size));
}

EXPORT int rum_free(void *pointer)
{
    struct rum_thread *t = self;
    if (t != NULL && t->heap != 0) {
        size_t offset = (uintptr_t)pointer - t->base;
        if (offset < t->reserved) {
            struct rum_span *span = &t->spans[__atomic_load_n(&t->map[offset >> 12], __ATOMIC_ACQUIRE)];
            if (span->kind == RUM_SPAN_SLAB) {
                uint32_t within = (uint32_t)((uintptr_t)pointer - span->start);
                uint32_t index = (uint32_t)(within * span->magic >> 40);
                unsigned char *state = span->states + index;
                unsigned char used = RUM_OBJECT_USED;
                /* The one atomic step: of two who free the same object one finds it in use. */
                if (index * span->object_size == within && index < span->count
                    && __atomic_compare_exchange_n(state, &used, RUM_OBJECT_CACHED, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
                    struct rum_class_cache *cache = &t->classes[span->size_class];
                    cache->entries[cache->count++] = (struct rum_cached_object){(uintptr_t)pointer, state};
                    cache->freed++;
                    if (cache->count == cache->capacity) MANAGED((rum_managed_return_half(span->size_class), 0));
                    return 0;
                }
            }
        }
    }
    if (pointer == NULL) return 0;
    int error = refused();
    return error ? error : MANAGED(rum_managed_free(pointer));
}

EXPORT int rum_init(const char *machines_csv)
{
    const int64_t layout[] = {
        sizeof(struct rum_thread), offsetof(struct rum_thread, message), offsetof(struct rum_thread, classes),
        sizeof(struct rum_class_cache), offsetof(struct rum_class_cache, freed), sizeof(struct rum_span), offsetof(struct rum_span, kind),
        RUM_CLASSES, RUM_MAX_SMALL,
    };
    static atomic_flag at_exit_set = ATOMIC_FLAG_INIT;
    int error = refused();
    if (!error) {
        char *file = machines_csv == NULL ? NULL : local_copy(machines_csv);
        rum_managed_faults(rum_faults_table());
        rum_managed_page_hash(rum_page_hash());
        error = machines_csv != NULL && file == NULL ? RUM_ERROR_INTERNAL : MANAGED(rum_managed_init(file, layout));
        free(file);
    }
    /* Here and not in a destructor of the library: handlers run last in, first out, so those that the program set before still have its memory. */
    if (!error && !atomic_flag_test_and_set(&at_exit_set)) atexit(at_exit);
    return error;
}

EXPORT int rum_end(void)
{
    int error = refused();
    return error ? error : MANAGED(rum_managed_end());
}

EXPORT void *rum_aligned_alloc(size_t alignment, size_t size) { return refused() ? NULL : MANAGED(rum_managed_aligned_alloc(alignment, size)); }

EXPORT void *rum_calloc(size_t num, size_t size) { return refused() ? NULL : MANAGED(rum_managed_calloc(num, size)); }

EXPORT void *rum_realloc(void *pointer, size_t size) { return refused() ? NULL : MANAGED(rum_managed_realloc(pointer, size)); }

EXPORT size_t rum_usable_size(const void *pointer) { return refused() ? 0 : MANAGED(rum_managed_usable_size(pointer)); }

enum { MAX_COPIES = 5 };

static void *alloc_segment(size_t size, const HASH_TYPE *key, const Location *locations, unsigned count, unsigned flags)
{
    HASH_TYPE local_key;
    Location local_places[MAX_COPIES];
    if (key != NULL) local_key = *key;
    if (count > 0) memcpy(local_places, locations, count * sizeof *locations);
    return refused() ? NULL : MANAGED(rum_managed_alloc_segment(size, key == NULL ? NULL : &local_key, local_places, (int)count, flags));
}

EXPORT void *rum_alloc_segment(size_t size, const HASH_TYPE *key, const Location *location, unsigned flags)
{
    return alloc_segment(size, key, location, location != NULL, flags);
}

EXPORT void *rum_alloc_segment_on(size_t size, const HASH_TYPE *key, const Location *locations, unsigned count, unsigned flags)
{
    if (locations == NULL || count == 0 || count > MAX_COPIES) {
        fail(RUM_ERROR_INVALID_ARGUMENT, "rum_alloc_segment_on takes 1 to 5 locations.");
        return NULL;
    }
    return alloc_segment(size, key, locations, count, flags);
}

EXPORT void *rum_alloc_location(size_t size, Location location) { return rum_alloc_segment(size, NULL, &location, 0); }

EXPORT void *rum_alloc_hash(size_t size, HASH_TYPE key) { return rum_alloc_segment(size, &key, NULL, 0); }

EXPORT void *rum_alloc_hash_location(size_t size, HASH_TYPE key, Location location) { return rum_alloc_segment(size, &key, &location, 0); }

EXPORT int rum_free_hash(void *pointer, HASH_TYPE key)
{
    if (pointer == NULL) return fail(RUM_ERROR_INVALID_ARGUMENT, "the pointer is NULL; to free a segment that is not mapped here, give its location and key.");
    int error = refused();
    return error ? error : MANAGED(rum_managed_free_key(pointer, &key));
}

EXPORT int rum_free_location_hash(Location location, HASH_TYPE key)
{
    (void)location;
    int error = refused();
    return error ? error : MANAGED(rum_managed_free_key(NULL, &key));
}

EXPORT HASH_TYPE rum_key(const char *name)
{
    HASH_TYPE key;
    memset(&key, 0, sizeof key);
    char *copy = refused() ? NULL : local_copy(name);
    if (copy != NULL) MANAGED((rum_managed_key(copy, &key), 0));
    free(copy);
    return key;
}

EXPORT void *rum_get(HASH_TYPE key, Location location)
{
    (void)location;
    return refused() ? NULL : MANAGED(rum_managed_get(&key));
}

EXPORT void *rum_open(const char *name, int mode, size_t *size)
{
    size_t bytes = 0;
    char *copy = refused() ? NULL : local_copy(name);
    void *memory = copy == NULL ? NULL : MANAGED(rum_managed_open(copy, mode, &bytes));
    free(copy);
    if (memory != NULL && size != NULL) *size = bytes;
    return memory;
}

#define FORWARD(name, parameters, arguments)              \
    EXPORT int rum_##name parameters                      \
    {                                                     \
        int error = refused();                            \
        return error ? error : MANAGED(rum_managed_##name arguments); \
    }

FORWARD(close, (void *pointer), (pointer))
FORWARD(prefetch, (const void *pointer, size_t length), (pointer, length))
FORWARD(pin, (const void *pointer, size_t length), (pointer, length))
FORWARD(unpin, (const void *pointer, size_t length), (pointer, length))
FORWARD(flush, (const void *pointer, size_t length), (pointer, length))
FORWARD(flush_cache, (void), ())

/* The statistics in local memory, to be freed; NULL where there are none. */
static char *statistics(int json)
{
    if (refused()) return NULL;
    size_t length = MANAGED(rum_managed_stats(NULL, 0, json)) + 256; /* it may grow by some digits between the calls */
    char *text = length == 256 ? NULL : malloc(length);
    if (text != NULL) MANAGED(rum_managed_stats(text, length, json));
    return text;
}

EXPORT size_t rum_stats_json(char *buffer, size_t length)
{
    char *text = statistics(1);
    size_t whole = text == NULL ? 0 : strlen(text), copied = whole < length ? whole : length - 1;
    if (length > 0) {
        if (copied > 0) memcpy(buffer, text, copied);
        buffer[copied] = 0;
    }
    free(text);
    return whole;
}

EXPORT void rum_stats(void)
{
    char *text = statistics(0);
    if (text == NULL) return;
    fputs(text, stdout);
    fflush(stdout);
    free(text);
}

EXPORT const char *rum_last_error(void)
{
    struct rum_thread *t = thread();
    return t == NULL ? Forked : t->message;
}

EXPORT int rum_last_error_code(void)
{
    struct rum_thread *t = thread();
    return t == NULL ? RUM_ERROR_NOT_INITIALIZED : t->error;
}

EXPORT const char *rum_error_name(int code) { return MANAGED(rum_managed_error_name(code)); }

ALIAS(rum_aligned_alloc) void *rum_memalign(size_t alignment, size_t size);

ALIAS(rum_init) int rum_c_init(const char *machines_csv);
ALIAS(rum_alloc) void *rum_c_alloc(size_t size);
ALIAS(rum_alloc_location) void *rum_c_alloc_location(size_t size, Location location);
ALIAS(rum_alloc_hash) void *rum_c_alloc_hash(size_t size, HASH_TYPE key);
ALIAS(rum_alloc_hash_location) void *rum_c_alloc_hash_location(size_t size, HASH_TYPE key, Location location);
ALIAS(rum_calloc) void *rum_c_calloc(size_t num, size_t size);
ALIAS(rum_realloc) void *rum_c_realloc(void *pointer, size_t size);
ALIAS(rum_free) int rum_c_free(void *pointer);
ALIAS(rum_stats) void rum_c_stats(void);
ALIAS(rum_get) void *rum_c_get(HASH_TYPE key, Location location);
ALIAS(rum_end) int rum_c_end(void);
