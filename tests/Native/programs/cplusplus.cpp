// The C++ face: the original's overloads.
#include "check.h"

#include <initializer_list>

#include <rum_c_version.h>

static void has_the_overloads()
{
    begin();
    Location anywhere{};
    HASH_TYPE a = rum_key("c++ a"), b = rum_key("c++ b");
    int size = 1000;  // the original's sizes were int
    auto *p = static_cast<char *>(rum_alloc(size));
    auto *q = static_cast<char *>(rum_alloc(size, anywhere));
    auto *r = static_cast<char *>(rum_alloc(size, a));
    auto *s = static_cast<char *>(rum_alloc(size, b, anywhere));
    CHECK(p && q && r && s, "allocations");
    for (char *each : {p, q, r, s}) fill(each, 1000, 1);
    rum_flush_cache();
    for (char *each : {p, q, r, s}) verify(each, 1000, 1);
    CHECK(rum_get(a, anywhere) == r, "rum_get");
    CHECK(rum_realloc(p, 2000) != nullptr && rum_calloc(3, 5) != nullptr, "rum_realloc, rum_calloc");
    CHECK(rum_free(q) == 0, "rum_free(pointer)");
    CHECK(rum_free(r, a) == 0, "rum_free(pointer, key)");
    CHECK(rum_free(s, b) == 0, "rum_free(pointer, key)");
    CHECK(rum_free(anywhere, a) != 0, "rum_free(location, key) of what is gone");
    rum_stats();
    finish();
}

int main(int argc, char **argv)
{
    static const test tests[] = {{"has_the_overloads", has_the_overloads}};
    return RUN(tests);
}
