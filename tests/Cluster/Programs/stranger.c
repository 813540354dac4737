/*
 * A program whose silos' place another cluster takes. Argument: the letter that it fills a named segment with. It says "filled", then at each line of its input what a call says
 * now; after "read" it touches its memory, which must be gone.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "rum.h"

enum { Bytes = 16 << 20 };

static sigjmp_buf recover;

static void on_fault(int number)
{
    (void)number;
    siglongjmp(recover, 1);
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    char letter = count > 1 ? arguments[1][0] : 'A';
    HASH_TYPE key = rum_key("places");
    if (rum_init(NULL) != 0) { printf("error %s\n", rum_last_error()); return 1; }
    char *memory = rum_alloc_segment(Bytes, &key, NULL, 0);
    if (memory == NULL) { printf("error %s\n", rum_last_error()); return 1; }
    memset(memory, letter, Bytes);
    if (rum_flush_cache() != 0) { printf("error %s\n", rum_last_error()); return 1; }
    printf("filled\n");
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strcmp(line, "read\n") != 0) {
            char *more = rum_alloc_segment(1 << 20, NULL, NULL, 0); /* which asks the silos, as small ones need not */
            if (more != NULL) rum_free(more);
            printf("says %d %s\n", more == NULL ? rum_last_error_code() : 0, more == NULL ? rum_last_error() : "nothing");
            continue;
        }
        struct sigaction action = {.sa_handler = on_fault};
        sigaction(SIGSEGV, &action, NULL);
        sigaction(SIGBUS, &action, NULL);
        volatile int foreign = 0, own = 0, gone = 0;
        for (volatile size_t at = 0; at < Bytes; at += 4096) {
            if (sigsetjmp(recover, 1)) { gone++; continue; }
            if (memory[at] == letter) own++; else foreign++;
        }
        printf("read own %d, foreign %d, gone %d\n", own, foreign, gone);
    }
    return 0;
}
