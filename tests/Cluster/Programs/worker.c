/* A program on more memory than its cache, driven by lines: each "touch" verifies all of it and writes the next pattern, "alloc" allocates a bit. */
#include <rum.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BYTES ((size_t)32 << 20)
#define STEP 512

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (rum_init(NULL) != 0) { printf("error %s\n", rum_last_error()); return 1; }
    uint64_t *memory = rum_alloc(BYTES), round = 0;
    if (memory == NULL) { printf("error %s\n", rum_last_error()); return 1; }
    for (size_t i = 0; i < BYTES / 8; i += STEP / 8) memory[i] = i;
    char line[64];
    printf("ready\n");
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strcmp(line, "touch\n") == 0) {
            for (size_t i = 0; i < BYTES / 8; i += STEP / 8) {
                if (memory[i] != i + round) { printf("error word %zu is wrong\n", i); return 1; }
                memory[i] = i + round + 1;
            }
            printf("touched %d\n", (int)++round);
        } else {
            void *more = rum_alloc(100000);
            if (more == NULL) { printf("error %s\n", rum_last_error()); return 1; }
            printf("allocated\n");
        }
    }
    return rum_end();
}
