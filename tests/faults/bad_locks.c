/* Simulates a file system whose locks fail, as on NFS without a lock service, Lustre without `-o flock`, or AFS.  In a
 * process that loads this (LD_PRELOAD), setting a lock on a file whose path starts with $BAD_LOCKS fails with the error
 * number $BAD_LOCKS_ERROR while the file $BAD_LOCKS_WHILE exists.
 */
#include "broken.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>

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
        if ((command == F_SETLK || command == F_SETLKW) && is_broken(file, "BAD_LOCKS", "BAD_LOCKS_WHILE")) { \
            errno = atoi(getenv("BAD_LOCKS_ERROR"));                        \
            return -1;                                                      \
        }                                                                   \
        return real(file, command, argument);                               \
    }

UNLESS_BAD(fcntl)
UNLESS_BAD(fcntl64)

int flock(int file, int operation)
{
    static int (*real)(int, int);
    if (!real)
        real = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    if (operation != LOCK_UN && is_broken(file, "BAD_LOCKS", "BAD_LOCKS_WHILE")) {
        errno = atoi(getenv("BAD_LOCKS_ERROR"));
        return -1;
    }
    return real(file, operation);
}
