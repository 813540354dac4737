/* Faults taken in the faulting thread (RUM_FAULT=inline): what fault.c shares with Paging/InlineFaults.cs, which mirrors these layouts. */
#ifndef RUM_NATIVE_FAULT_H
#define RUM_NATIVE_FAULT_H

#include <stdint.h>

/* The states of a fault, and the futex that its thread sleeps on. */
enum {
    FAULT_WAITING = 0,  /* its thread looks at it */
    FAULT_SLEEPING = 1, /* its thread sleeps */
    FAULT_ARRIVED = 2,  /* the page was mapped */
    FAULT_AGAIN = 3,    /* nothing was mapped, the access tells what is the matter */
    FAULT_NO_ROOM = 4,  /* as before, and somewhat later */
    FAULT_FAILED = 5,   /* the page cannot be had; the signal is passed on */
    FAULT_DRIVE = 6,    /* its thread was woken to drive the engine */
};

enum {
    FAULT_PROTECTED = 1, /* a store to a write-protected page */
    FAULT_ABLE = 2,      /* its thread may enter managed code */
    FAULT_TIRED = 4,     /* its thread drove long enough and leaves the rest to the pager thread */
};

/* One per thread that waits, on its stack. */
struct rum_fault {
    struct rum_fault *next;
    uintptr_t page;
    uint32_t state, flags;
};

/* How the pager thread waits. */
enum { PAGER_AWAKE = 0, PAGER_NAPS = 1, PAGER_WATCHES = 2, PAGER_SLEEPS = 3 };

struct rum_faults {
    uint64_t size;               /* of this structure, compared at the start */
    struct rum_fault *submitted; /* pushed by anybody, taken by who drives */
    struct rum_fault *waiting;   /* the driver's */
    uint32_t engine;             /* 1: somebody drives the engine */
    uint32_t pager;              /* how the pager thread waits */
    uint32_t pager_wants;        /* the pager thread found the engine driven */
    uint32_t frozen;             /* the process is exiting: whoever faults waits for its end */
    uint32_t closed;             /* there is no engine */
    uint32_t untold;             /* messages that the pager thread has not told yet */
    uint64_t drives;             /* times that a faulting thread drove the engine */
    int32_t event;               /* an eventfd that the pager thread waits on */
    int32_t userfaultfd;
    int (*start)(int32_t userfaultfd);        /* 0, or an error number */
    void (*refuse)(void);                     /* those that were handed in go on: there is no engine */
    void (*watch)(void);                      /* puts the handler first again if somebody else installed one since */
    int (*region)(uintptr_t start, uint64_t bytes, int add); /* 0: no room in the table */
    int (*enter)(void);                       /* 1: the engine is the caller's */
    void (*leave)(int what);                  /* and is not any more */
    void (*wake)(struct rum_fault *fault);
    void (*quiet)(void);                      /* the calling thread takes no asynchronous signals any more */
};

/* What a driver leaves behind: what waits for the next fault, or steps to be taken meanwhile; and what the pager thread leaves, who looks again itself. */
enum { LEAVE_NOTHING = 0, LEAVE_STEPS = 1, LEAVE_PAGER = 2 };

struct rum_faults *rum_faults_table(void);

/* Around each call into managed code from C: a signal handler that interrupts it must not enter it again. */
extern __thread int rum_inside __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The block of the calling thread, which from then on may run managed code; NULL in a forked child. */
struct rum_thread *rum_thread_block(int attach);

/* Defined in Abi/Exports.Faults.cs. */
void rum_managed_faults(struct rum_faults *table);
int rum_managed_fault(struct rum_fault *fault);

#endif
