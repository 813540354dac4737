/* Provokes errors and prints each as "CODE NAME MESSAGE". Needs RUM_MACHINES (a silo of 256M with room), ABSENT (a machines file of nobody). */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <rum.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define USERFAULTFD_IOC_NEW 0xaa00

static void show(void) { printf("%d %s %s\n", rum_last_error_code(), rum_error_name(rum_last_error_code()), rum_last_error()); }

/* From here on neither the system call nor the device gives a userfaultfd. */
static void forbid_userfaultfd(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, USERFAULTFD_IOC_NEW, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) exit(77);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1 && strcmp(argv[1], "forbidden") == 0) {
        forbid_userfaultfd();
        if (rum_init(NULL) == 0) return 1;
        show();
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "init") == 0) {
        if (rum_init(NULL) == 0) return 1;
        show(); /* whatever the end at RUM_MACHINES makes of it */
        return 0;
    }
    if (argc > 1 && (strcmp(argv[1], "page") == 0 || strcmp(argv[1], "fence") == 0)) {
        /* On the silo that SILO names; the test goes on when it has done something to it, or to us. */
        Location there;
        memset(&there, 0, sizeof there);
        snprintf((char *)there.ip_addr, sizeof there.ip_addr, "%s", getenv("SILO"));
        int page = strcmp(argv[1], "page") == 0;
        if (rum_init(NULL) != 0) { show(); return 1; }
        char *memory = page ? rum_alloc_location(4096, there) : rum_alloc_hash_location(4096, rum_key("fenced"), there);
        if (memory == NULL) { show(); return 1; }
        strcpy(memory, "first");
        if ((page ? rum_flush_cache() : rum_flush(memory, 4096)) != 0) { show(); return 1; }
        printf("held\n");
        getchar();
        if (!page) strcpy(memory, "late");
        if ((page ? rum_pin(memory, 4096) : rum_flush(memory, 4096)) == 0) return 1;
        show(); /* Timeout, Fenced */
        _exit(0);
    }
    if (argc > 1 && strcmp(argv[1], "take") == 0) {
        char *memory = rum_init(NULL) != 0 ? NULL : rum_open("fenced", RUM_WRITE, NULL);
        if (memory == NULL || strcmp(memory, "first") != 0) { show(); return 1; }
        strcpy(memory, "mine");
        if (rum_flush(memory, 4096) != 0) { show(); return 1; }
        return rum_end();
    }
    if (argc > 1 && strcmp(argv[1], "hold") == 0) {
        if (rum_init(NULL) != 0 || rum_alloc_hash(4096, rum_key("held")) == NULL) { show(); return 1; }
        printf("held\n");
        getchar();
        return rum_end();
    }
    Location anywhere;
    memset(&anywhere, 0, sizeof anywhere);
    if (rum_alloc(10) != NULL) return 1;
    show(); /* NotInitialized */
    if (rum_init("/nonexistent/machines.csv") == 0) return 1;
    show(); /* BadConfiguration */
    if (rum_init(getenv("ABSENT")) == 0) return 1;
    show(); /* Unavailable */
    if (rum_init(NULL) != 0) { show(); return 1; }
    if (rum_init(NULL) == 0) return 1;
    show(); /* AlreadyInitialized */
    if (rum_aligned_alloc(3, 100) != NULL) return 1;
    show(); /* InvalidArgument */
    if (rum_get(rum_key("nobody's"), anywhere) != NULL) return 1;
    show(); /* NotFound */
    char *named = rum_alloc_hash(4096, rum_key("twice"));
    if (named == NULL) { show(); return 1; }
    strcpy(named, "kept");
    if (rum_alloc_hash(4096, rum_key("twice")) != NULL) return 1;
    show(); /* AlreadyExists */
    if (rum_free(&anywhere) == 0) return 1;
    show(); /* BadPointer */
    char *much = rum_alloc((size_t)64 << 20);
    if (much == NULL) { show(); return 1; }
    if (rum_pin(much, (size_t)64 << 20) == 0) return 1;
    show(); /* PinBudgetExceeded */
    if (rum_alloc((size_t)8 << 30) != NULL) return 1;
    show(); /* OutOfMemory */
    if (rum_open("held", RUM_WRITE, NULL) != NULL) return 1;
    show(); /* SegmentBusy */
    if (rum_open("held", RUM_READ, NULL) == NULL) { show(); return 1; }
    if (rum_open("held", RUM_WRITE, NULL) != NULL) return 1;
    show(); /* ReadOnly: this process has it so */
    return rum_end();
}
