/*
 * Where memory may be asked to live: a silo, by its address.
 *
 * ip_addr is text, ended by a zero byte unless it fills the array: "10.0.0.1", or "10.0.0.1:7401" where several silos share an address. mac_addr is
 * binary. An empty ip_addr means "any address", a mac_addr of zeros "any interface"; both: anywhere, RUM chooses. A silo is found by its ip_addr, else
 * by its mac_addr.
 *
 * Part of RUM (remote memory). C11 and C++17.
 */
#ifndef RUM_INCLUDE_LOCATION_H
#define RUM_INCLUDE_LOCATION_H

#define ETHER_ADDR_LEN_BYTES 6
#define IP_ADDR_LEN_BYTES 45

/* Bytes that location_to_string_b writes at most, the zero byte included. */
#define RUM_LOCATION_STRING_BYTES (IP_ADDR_LEN_BYTES + 1 + 3 * ETHER_ADDR_LEN_BYTES)

#ifdef __cplusplus
extern "C" {
#endif

typedef struct location {
    unsigned char ip_addr[IP_ADDR_LEN_BYTES];
    unsigned char mac_addr[ETHER_ADDR_LEN_BYTES];
} Location;

/* "ip,aa:bb:cc:dd:ee:ff", in a buffer of the calling thread that its next call overwrites. */
const char *location_to_string(Location location);

/* The same, written to the caller's buffer of RUM_LOCATION_STRING_BYTES, which is returned. */
char *location_to_string_b(Location location, char *buffer);

/* Prints the same and a line end to stdout. */
void location_print(Location location);

/* 0 when both are the same place; else below or above 0 in an order that is total. */
int location_compare(Location left, Location right);

#ifdef __cplusplus
}
#endif

#endif
