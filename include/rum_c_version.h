/*
 * The C names of the original RUM. New programs include rum.h, which says what each does.
 *
 * Part of RUM (remote memory). C11 and C++17.
 */
#ifndef RUM_INCLUDE_RUM_C_VERSION_H
#define RUM_INCLUDE_RUM_C_VERSION_H

#include <stddef.h>

#include "Location.h"
#include "hash_type.h"

#ifdef __cplusplus
extern "C" {
#endif

int rum_c_init(const char *machines_csv);
void *rum_c_alloc(size_t size);
void *rum_c_alloc_location(size_t size, Location location);
void *rum_c_alloc_hash(size_t size, HASH_TYPE key);
void *rum_c_alloc_hash_location(size_t size, HASH_TYPE key, Location location);
void *rum_c_calloc(size_t num, size_t size);
void *rum_c_realloc(void *pointer, size_t size);
int rum_c_free(void *pointer);
void rum_c_stats(void);
void *rum_c_get(HASH_TYPE key, Location location);
int rum_c_end(void);

#ifdef __cplusplus
}
#endif

#endif
