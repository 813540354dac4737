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
