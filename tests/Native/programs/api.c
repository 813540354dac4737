/* Every function of the headers, in plain use and in misuse. */
#include "check.h"

#include <rum_c_version.h>

static void allocates_and_frees(void)
{
    begin();
    static const size_t sizes[] = {1, 8, 15, 16, 17, 64, 100, 1000, 4095, 4096, 4097, 32767, 32768, 100000, 1 << 20, 5 << 20};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    unsigned char *p[COUNT];
    for (int i = 0; i < COUNT; i++) {
        p[i] = rum_alloc(sizes[i]);
        CHECK(p[i] != NULL, "rum_alloc(%zu)", sizes[i]);
        CHECK((uintptr_t)p[i] % 16 == 0, "%p is not aligned", (void *)p[i]);
        CHECK(rum_usable_size(p[i]) >= sizes[i], "usable %zu of %zu", rum_usable_size(p[i]), sizes[i]);
        fill(p[i], sizes[i], (uint64_t)i);
    }
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    for (int i = 0; i < COUNT; i++) verify(p[i], sizes[i], (uint64_t)i);
    for (int i = 0; i < COUNT; i++) CHECK(rum_free(p[i]) == 0, "rum_free of %zu bytes", sizes[i]);
    finish();
}

static void aligns(void)
{
    begin();
    for (size_t alignment = 1; alignment <= 1 << 21; alignment *= 2) {
        char *p = rum_aligned_alloc(alignment, 100), *q = rum_memalign(alignment, 40000);
        CHECK(p != NULL && (uintptr_t)p % alignment == 0, "%p at %zu", (void *)p, alignment);
        CHECK(q != NULL && (uintptr_t)q % alignment == 0, "%p at %zu", (void *)q, alignment);
        memset(p, 1, 100);
        CHECK(rum_free(p) == 0 && rum_free(q) == 0, "rum_free");
    }
    CHECK(rum_aligned_alloc(3, 100) == NULL, "3 is not a power of two");
    finish();
}

static void clears(void)
{
    begin();
    static const size_t sizes[] = {1, 64, 5000, 32768, 3 << 20};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            unsigned char *p = rum_calloc(1, sizes[i]);
            CHECK(p != NULL, "rum_calloc(1, %zu)", sizes[i]);
            for (size_t b = 0; b < sizes[i]; b++) CHECK(p[b] == 0, "byte %zu of %zu is %x", b, sizes[i], p[b]);
            memset(p, 0xee, sizes[i]);
            CHECK(rum_free(p) == 0, "rum_free");
        }
    }
    CHECK(rum_calloc(SIZE_MAX / 2, 3) == NULL, "the product overflows");
    finish();
}

static void reallocates(void)
{
    begin();
    static const size_t sizes[] = {10, 100, 30, 5000, 40000, 1 << 20, 4 << 20, 3 << 20, 50000, 2000, 10};
    unsigned char *p = rum_realloc(NULL, 5);
    CHECK(p != NULL, "rum_realloc(NULL, 5)");
    fill(p, 5, 7);
    size_t before = 5;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        p = rum_realloc(p, sizes[i]);
        CHECK(p != NULL, "rum_realloc to %zu", sizes[i]);
        size_t kept = before < sizes[i] ? before : sizes[i];
        verify(p, kept / 8 * 8, 7);
        if (i % 3 == 0) CHECK(rum_flush_cache() == 0, "rum_flush_cache");
        verify(p, kept / 8 * 8, 7);
        fill(p, sizes[i], 7);
        before = sizes[i];
    }
    CHECK(rum_realloc(p, SIZE_MAX) == NULL, "absurd");
    verify(p, before, 7);
    CHECK(rum_realloc(p, 0) == NULL && rum_last_error_code() >= 0, "(pointer, 0) frees");
    CHECK(rum_free(p) != 0, "it was freed");
    finish();
}

static void refuses_absurd_sizes(void)
{
    begin();
    CHECK(rum_alloc(0) == NULL, "0");
    CHECK_ERROR(rum_last_error_code(), "InvalidArgument");
    CHECK(rum_alloc((size_t)-1) == NULL, "-1");
    CHECK_ERROR(rum_last_error_code(), "InvalidArgument");
    CHECK(rum_alloc((size_t)1 << 45) == NULL, "32 TiB");
    CHECK_ERROR(rum_last_error_code(), "InvalidArgument");
    CHECK(rum_alloc_segment(0, NULL, NULL, 0) == NULL, "segment of 0");
    CHECK(rum_alloc_segment(1, NULL, NULL, 0x80) == NULL, "unknown flag");
    CHECK(rum_alloc((size_t)1 << 40) == NULL, "1 TiB that is charged");
    CHECK(strlen(rum_last_error()) > 10, "no words");
    void *p = rum_alloc(100);
    CHECK(p != NULL && rum_free(p) == 0, "it must work after that");
    finish();
}

static void refuses_wrong_pointers(void)
{
    begin();
    char here;
    char *p = rum_alloc(100), *big = rum_alloc(1 << 20);
    CHECK(rum_free(NULL) == 0, "NULL does nothing");
    CHECK_ERROR(rum_free(&here), "BadPointer");
    CHECK_ERROR(rum_free(p + 16), "BadPointer");
    CHECK_ERROR(rum_free(p + 1), "BadPointer");
    CHECK_ERROR(rum_free(big + PAGE), "BadPointer");
    CHECK(rum_realloc(&here, 10) == NULL && rum_realloc(p + 16, 10) == NULL, "realloc of a wrong pointer");
    CHECK(rum_usable_size(&here) == 0 && rum_usable_size(p + 1) == 0, "size of a wrong pointer");
    CHECK(rum_free(p) == 0 && rum_free(big) == 0, "rum_free");
    CHECK_ERROR(rum_free(p), "BadPointer");
    CHECK(strstr(rum_last_error(), "freed already") != NULL, "words: %s", rum_last_error());
    CHECK_ERROR(rum_free(big), "BadPointer");
    CHECK_ERROR(rum_pin(&here, 1), "BadPointer");
    CHECK_ERROR(rum_flush(&here, 1), "BadPointer");
    CHECK(stat_of("heap", "bad_pointers") >= 5, "they are counted");
    finish();
}

static void refuses_calls_outside(void)
{
    CHECK(rum_alloc(10) == NULL, "before rum_init");
    CHECK_ERROR(rum_last_error_code(), "NotInitialized");
    CHECK_ERROR(rum_end(), "NotInitialized");
    begin();
    CHECK_ERROR(rum_init(NULL), "AlreadyInitialized");
    finish();
    CHECK(rum_alloc(10) == NULL, "after rum_end");
    begin();
    CHECK(rum_alloc(10) != NULL, "rum_init a second time");
    finish();
}

static void counts(void)
{
    begin();
    void *p = rum_alloc(1000);
    CHECK(stat_of("heap", "live_objects") == 1, "%lld", stat_of("heap", "live_objects"));
    CHECK(stat_of("pager", "cache_bytes") > 0, "no cache");
    rum_stats();
    rum_c_stats();
    CHECK(rum_stats_json(NULL, 0) > 100, "the length of the whole text");
    char four[4];
    CHECK(rum_stats_json(four, sizeof four) > 100 && four[3] == 0, "cut off");
    CHECK(rum_free(p) == 0, "rum_free");
    finish();
}

static void has_the_c_names(void)
{
    CHECK(rum_c_init(NULL) == 0, "rum_c_init");
    Location anywhere;
    memset(&anywhere, 0, sizeof anywhere);
    HASH_TYPE a = rum_key("c names a"), b = rum_key("c names b");
    char *p = rum_c_alloc(100), *q = rum_c_alloc_location(100, anywhere), *r = rum_c_alloc_hash(100, a), *s = rum_c_alloc_hash_location(100, b, anywhere);
    CHECK(p && q && r && s, "allocations");
    strcpy(p, "p"), strcpy(q, "q"), strcpy(r, "r"), strcpy(s, "s");
    CHECK(rum_c_get(a, anywhere) == (void *)r, "rum_c_get gives the same address");
    char *c = rum_c_calloc(10, 10);
    CHECK(c != NULL && c[99] == 0, "rum_c_calloc");
    c = rum_c_realloc(c, 100000);
    CHECK(c != NULL && c[99] == 0, "rum_c_realloc");
    CHECK(rum_c_free(c) == 0 && rum_c_free(p) == 0 && rum_c_free(q) == 0 && rum_c_free(r) == 0 && rum_c_free(s) == 0, "rum_c_free");
    CHECK(rum_c_get(a, anywhere) == NULL, "it was freed");
    CHECK(rum_c_end() == 0, "rum_c_end");
}

static void writes_locations(void)
{
    Location a, b;
    memset(&a, 0, sizeof a);
    strcpy((char *)a.ip_addr, "10.0.0.1");
    memcpy(a.mac_addr, "\x02\x00\xab\xcd\xef\x01", 6);
    b = a;
    char text[RUM_LOCATION_STRING_BYTES];
    CHECK(strcmp(location_to_string(a), "10.0.0.1,02:00:ab:cd:ef:01") == 0, "%s", location_to_string(a));
    CHECK(strcmp(location_to_string_b(a, text), location_to_string(a)) == 0, "%s", text);
    CHECK(location_compare(a, b) == 0, "equal");
    b.mac_addr[5] = 2;
    CHECK(location_compare(a, b) < 0 && location_compare(b, a) > 0, "by mac");
    memset(a.ip_addr, '9', sizeof a.ip_addr); /* fills the array, no zero byte */
    CHECK(strlen(location_to_string(a)) == RUM_LOCATION_STRING_BYTES - 1, "%s", location_to_string(a));
    location_print(a);
    CHECK(strlen(HASH_STR(rum_key("x"))) == HASH_LENGTH - 1, "a key has 32 digits");
}

static void names_errors(void)
{
    CHECK(strcmp(rum_error_name(0), "None") == 0 && strcmp(rum_error_name(6), "OutOfMemory") == 0, "%s", rum_error_name(6));
    CHECK(rum_error_name(-1) != NULL && rum_error_name(100000) != NULL, "never NULL");
}

static void pins_and_prefetches(void)
{
    begin();
    size_t bytes = 1 << 20;
    char *p = rum_alloc(bytes);
    fill(p, bytes, 1);
    CHECK(rum_flush_cache() == 0, "rum_flush_cache");
    CHECK(rum_prefetch(p, bytes) == 0, "rum_prefetch");
    CHECK(rum_pin(p, bytes) == 0, "rum_pin");
    CHECK(stat_of("pager", "pinned_bytes") == (long long)bytes, "%lld pinned", stat_of("pager", "pinned_bytes"));
    long long before = stat_of("pager", "faults");
    verify(p, bytes, 1);
    CHECK(stat_of("pager", "faults") == before, "a pinned page faulted");
    CHECK(rum_unpin(p, bytes) == 0, "rum_unpin");
    CHECK(stat_of("pager", "pinned_bytes") == 0, "%lld pinned", stat_of("pager", "pinned_bytes"));
    char *huge = rum_alloc((size_t)100 << 20);
    CHECK(huge != NULL, "100 MiB");
    CHECK_ERROR(rum_pin(huge, (size_t)100 << 20), "PinBudgetExceeded");
    CHECK(rum_flush(p, bytes) == 0 && rum_flush(NULL, 0) == 0, "rum_flush");
    finish();
}

static const struct test tests[] = {
    {"allocates_and_frees", allocates_and_frees}, {"aligns", aligns}, {"clears", clears}, {"reallocates", reallocates},
    {"refuses_absurd_sizes", refuses_absurd_sizes}, {"refuses_wrong_pointers", refuses_wrong_pointers},
    {"refuses_calls_outside", refuses_calls_outside}, {"counts", counts}, {"has_the_c_names", has_the_c_names},
    {"writes_locations", writes_locations}, {"names_errors", names_errors}, {"pins_and_prefetches", pins_and_prefetches},
};

int main(int argc, char **argv) { return RUN(tests); }
