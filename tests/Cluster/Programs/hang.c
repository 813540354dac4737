/* Lets all threads of a process hang but those of one name, until its input ends. Usage: hang PID NAME. Needs the right to trace it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define THREADS_MAX 1024

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    int stopped[THREADS_MAX], count = 0, spared = 0;
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/task", argv[1]);
    // Threads that are born meanwhile are found by the next turn.
    for (int found = 1; found > 0;) {
        found = spared = 0;
        DIR *tasks = opendir(path);
        if (tasks == NULL) { printf("error %s: %s\n", path, strerror(errno)); return 1; }
        for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
            int thread = atoi(entry->d_name), known = thread == 0;
            for (int i = 0; i < count; i++) known |= stopped[i] == thread;
            if (known) continue;
            char file[600], name[32] = "";
            snprintf(file, sizeof file, "%s/%s/comm", path, entry->d_name);
            FILE *comm = fopen(file, "r");
            if (comm == NULL || fgets(name, sizeof name, comm) == NULL) name[0] = 0;
            if (comm != NULL) fclose(comm);
            name[strcspn(name, "\n")] = 0;
            if (strcmp(name, argv[2]) == 0) { spared++; continue; }
            if (count == THREADS_MAX) { printf("error too many threads\n"); return 1; }
            if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0) {
                if (errno == ESRCH) continue;
                printf("not permitted: %s\n", strerror(errno));
                return 1;
            }
            ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
            waitpid(thread, NULL, __WALL);
            stopped[count++] = thread;
            found++;
        }
        closedir(tasks);
    }
    printf("%d threads hang, %d does not\n", count, spared);
    while (getchar() != EOF) { }
    for (int i = 0; i < count; i++) ptrace(PTRACE_DETACH, stopped[i], NULL, NULL);
    printf("they go on\n");
    return 0;
}
