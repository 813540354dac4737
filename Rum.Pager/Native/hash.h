/* The dirty hash with 512-bit AES instructions, for which C# has no names yet: what hash.c gives Paging/PageHash.cs, which has the same in 128 bits. */
#ifndef RUM_NATIVE_HASH_H
#define RUM_NATIVE_HASH_H

#include <stdint.h>

struct rum_page_hash {
    uint64_t (*of)(const void *page, const uint64_t key[4]);
    uint64_t (*copy)(void *to, const void *from, const uint64_t key[4]); /* in one pass; nobody may change what is copied meanwhile */
};

/* NULL where the processor has no such instructions. */
const struct rum_page_hash *rum_page_hash(void);

/* The C# part takes them; NULL: it has to do with its own. */
void rum_managed_page_hash(const struct rum_page_hash *hash);

#endif
