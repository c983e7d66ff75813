/* Simulates a file system whose locks fail, as on NFS without a lock service, Lustre without `-o flock`, or AFS.  In a
 * process that loads this (LD_PRELOAD), setting a lock on a file whose path starts with $BAD_LOCKS fails with the error
 * number $BAD_LOCKS_ERROR while the file $BAD_WHILE exists.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_bad(int file)
{
    const char *place = getenv("BAD_LOCKS"), *bad_while = getenv("BAD_WHILE");
    char link[64], path[PATH_MAX];
    ssize_t length;

    if (!place || !bad_while || access(bad_while, F_OK))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, path, sizeof path);
    return length > 0 && (size_t)length >= strlen(place) && !strncmp(path, place, strlen(place));
}

#define UNLESS_BAD(name)                                                    \
    int name(int file, int command, ...)                                    \
    {                                                                       \
        static int (*real)(int, int, ...);                                  \
        va_list arguments;                                                  \
        void *argument;                                                     \
        va_start(arguments, command);                                       \
        argument = va_arg(arguments, void *);                               \
        va_end(arguments);                                                  \
        if (!real)                                                          \
            real = (int (*)(int, int, ...))dlsym(RTLD_NEXT, #name);         \
        if ((command == F_SETLK || command == F_SETLKW) && is_bad(file)) {  \
            errno = atoi(getenv("BAD_LOCKS_ERROR"));                        \
            return -1;                                                      \
        }                                                                   \
        return real(file, command, argument);                               \
    }

UNLESS_BAD(fcntl)
UNLESS_BAD(fcntl64)
