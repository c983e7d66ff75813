/* Moves the wall clock of the processes that load this (LD_PRELOAD) by the seconds in the file $WALL_CLOCK, a 64-bit
 * integer in native byte order.  The file is mapped, so that all processes see a change at once.
 *
 * The monotonic clock and file times do not change, as when a user sets the clock of a machine.  libfaketime is not
 * used, because Python's time.sleep fails under it if the monotonic clock is left unchanged.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define HALF_A_DAY 43200

typedef int (*timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

static const volatile int64_t *moved_by;
static int (*real_clock)(clockid_t, struct timespec *);
static timedwait real_timedwait;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("WALL_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        void *mapped = mmap(NULL, sizeof *moved_by, PROT_READ, MAP_SHARED, file, 0);
        if (mapped != MAP_FAILED)
            moved_by = mapped;
        close(file);
    }
    real_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    /* Without a version, dlsym returns the oldest one, whose conditions have another size. */
    real_timedwait = (timedwait)dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real_timedwait)
        real_timedwait = (timedwait)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
}

static int unmoved(clockid_t id, struct timespec *now)
{
    return real_clock ? real_clock(id, now) : (int)syscall(SYS_clock_gettime, id, now);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = unmoved(id, now);
    if (result == 0 && moved_by && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += *moved_by;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise))
        return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *also)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (also)
        *also = now.tv_sec;
    return now.tv_sec;
}

/* `until` is a time of the moved clock; the kernel needs a time of the real one. */
int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
    struct timespec now, real_until = *until;
    if (moved_by && *moved_by && unmoved(CLOCK_REALTIME, &now) == 0) {
        int64_t away = until->tv_sec - (now.tv_sec + *moved_by);
        if (-HALF_A_DAY < away && away < HALF_A_DAY)
            real_until.tv_sec -= *moved_by;
    }
    return real_timedwait(condition, mutex, &real_until);
}
