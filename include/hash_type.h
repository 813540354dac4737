/*
 * The key of a named segment: 32 hex digits and a zero byte.
 *
 * Part of RUM (remote memory). C11 and C++17.
 */
#ifndef RUM_INCLUDE_HASH_TYPE_H
#define RUM_INCLUDE_HASH_TYPE_H

#define HASH_LENGTH 33

typedef struct hash_type {
    unsigned char hash_str[HASH_LENGTH];
} HASH_TYPE;

/* The digits of a key as a C string. */
#define HASH_STR(a) ((char *)(a).hash_str)

#endif
