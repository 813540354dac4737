/* The dirty hash of librum's C part. Where the processor lacks its instructions the library uses another, and there is nothing to test. */
#include "check.h"

#include "../../../Rum.Pager/Native/hash.c"

static unsigned char page[PAGE];
static uint64_t key[4] = {1, 2, 3, 4};
static const struct rum_page_hash *wide;

static int draw(void)
{
    wide = rum_page_hash();
    if (wide == NULL) puts("no 512-bit AES here");
    for (int i = 0; i < 4; i++) key[i] = mix((uint64_t)i + 1);
    fill(page, PAGE, 11);
    return wide != NULL;
}

static void notices_every_bit(void)
{
    if (!draw()) return;
    uint64_t before = wide->of(page, key);
    long changed = 0, tries = 0;
    for (int bit = 0; bit < PAGE * 8; bit++, tries++) {
        page[bit / 8] ^= (unsigned char)(1 << bit % 8);
        uint64_t after = wide->of(page, key);
        page[bit / 8] ^= (unsigned char)(1 << bit % 8);
        CHECK(after != before, "bit %d", bit);
        changed += __builtin_popcountll(after ^ before);
    }
    double mean = (double)changed / (double)tries;
    CHECK(mean > 31 && mean < 33, "%.2f of 64 bits change", mean);
    CHECK(wide->of(page, key) == before, "it isn't the same twice");
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The second counter lies one lane's stride behind the first, where a weak lane could undo the change. */
static void tells_small_counters_apart(void)
{
    if (!draw()) return;
    static uint64_t seen[256 * 256];
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            page[64] = (unsigned char)a;
            page[64 + 256] = (unsigned char)b;
            seen[a * 256 + b] = wide->of(page, key);
        }
    }
    qsort(seen, 256 * 256, sizeof *seen, compare);
    for (int i = 1; i < 256 * 256; i++) CHECK(seen[i] != seen[i - 1], "two of 65,536 are equal");
}

static void notices_blocks_that_change_places(void)
{
    if (!draw()) return;
    uint64_t before = wide->of(page, key);
    unsigned char block[16];
    for (int a = 0; a < PAGE; a += 16) {
        for (int b = a + 16; b < PAGE; b += 16) {
            memcpy(block, page + a, 16);
            memcpy(page + a, page + b, 16);
            memcpy(page + b, block, 16);
            CHECK(wide->of(page, key) != before, "blocks at %d and %d", a, b);
            memcpy(page + b, page + a, 16);
            memcpy(page + a, block, 16);
        }
    }
}

static void copies_what_it_hashes(void)
{
    if (!draw()) return;
    static unsigned char copy[PAGE + 64];
    for (int offset = 0; offset < 64; offset += 16) {
        memset(copy, 0, sizeof copy);
        CHECK(wide->copy(copy + offset, page, key) == wide->of(page, key), "the copy has another hash");
        CHECK(memcmp(copy + offset, page, PAGE) == 0, "the copy differs");
        for (int i = 0; i < offset; i++) CHECK(copy[i] == 0, "it wrote in front of the page");
        for (int i = offset + PAGE; i < PAGE + 64; i++) CHECK(copy[i] == 0, "it wrote behind the page");
    }
}

static void depends_on_its_key(void)
{
    if (!draw()) return;
    uint64_t before = wide->of(page, key);
    for (int i = 0; i < 4; i++) {
        key[i] ^= 1;
        CHECK(wide->of(page, key) != before, "word %d of the key", i);
        key[i] ^= 1;
    }
}

static const struct test tests[] = {
    {"notices_every_bit", notices_every_bit}, {"tells_small_counters_apart", tells_small_counters_apart},
    {"notices_blocks_that_change_places", notices_blocks_that_change_places}, {"copies_what_it_hashes", copies_what_it_hashes},
    {"depends_on_its_key", depends_on_its_key},
};

int main(int argc, char **argv) { return RUN(tests); }
