/* The functions of Location.h. */
#include <stdio.h>
#include <string.h>

#include "../../include/Location.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT char *location_to_string_b(Location location, char *buffer)
{
    const unsigned char *m = location.mac_addr;
    snprintf(buffer, RUM_LOCATION_STRING_BYTES, "%.*s,%02x:%02x:%02x:%02x:%02x:%02x", IP_ADDR_LEN_BYTES, (const char *)location.ip_addr,
             m[0], m[1], m[2], m[3], m[4], m[5]);
    return buffer;
}

EXPORT const char *location_to_string(Location location)
{
    static __thread char text[RUM_LOCATION_STRING_BYTES];
    return location_to_string_b(location, text);
}

EXPORT void location_print(Location location)
{
    char text[RUM_LOCATION_STRING_BYTES];
    puts(location_to_string_b(location, text));
}

EXPORT int location_compare(Location left, Location right)
{
    int by_ip = strncmp((const char *)left.ip_addr, (const char *)right.ip_addr, IP_ADDR_LEN_BYTES);
    return by_ip != 0 ? by_ip : memcmp(left.mac_addr, right.mac_addr, ETHER_ADDR_LEN_BYTES);
}
