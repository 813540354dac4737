/* Named segments, driven by lines: "make NAME", "open NAME", "put N", "get", "close", "free NAME", "end". */
#include <rum.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (rum_init(NULL) != 0) { printf("error %s\n", rum_last_error()); return 1; }
    printf("ready\n");
    char line[128];
    uint64_t *memory = NULL;
    size_t size = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        char *name = strchr(line, ' ');
        if (name != NULL) *name++ = 0;
        int code = 0;
        if (strcmp(line, "make") == 0) {
            if ((memory = rum_alloc_hash(1 << 20, rum_key(name))) == NULL) code = rum_last_error_code();
        } else if (strcmp(line, "open") == 0) {
            if ((memory = rum_open(name, RUM_WRITE, &size)) == NULL) code = rum_last_error_code();
        } else if (strcmp(line, "put") == 0) {
            unsigned long value = 0;
            if (sscanf(name, "%lu", &value) == 1) memory[1000] = value;
        } else if (strcmp(line, "get") == 0) {
            printf("got %lu\n", (unsigned long)memory[1000]);
        } else if (strcmp(line, "close") == 0) {
            code = rum_close(memory);
        } else if (strcmp(line, "free") == 0) {
            code = rum_free_hash(memory, rum_key(name));
        } else if (strcmp(line, "end") == 0) {
            code = rum_end();
            printf("%s %d\n", line, code);
            return code;
        }
        if (code != 0) printf("error %s: %s\n", line, rum_last_error());
        else printf("%s done\n", line);
    }
    return rum_end();
}
