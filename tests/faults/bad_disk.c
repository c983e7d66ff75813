/* Simulates a broken disk.  A process that loads this (LD_PRELOAD) cannot write to a file whose path starts with
 * $BAD_DISK while the file $BAD_DISK_WHILE exists.  The error is EIO, which the kernel reports for an unwritable sector.
 */
#include "broken.h"
#include <dlfcn.h>
#include <errno.h>
#include <sys/types.h>

#define UNLESS_BAD(name, result, parameters, arguments)                     \
    result name parameters                                                  \
    {                                                                       \
        static result(*real) parameters;                                    \
        if (!real)                                                          \
            real = (result(*) parameters)dlsym(RTLD_NEXT, #name);           \
        if (is_broken(file, "BAD_DISK", "BAD_DISK_WHILE")) {                                  \
            errno = EIO;                                                    \
            return -1;                                                      \
        }                                                                   \
        return real arguments;                                              \
    }

UNLESS_BAD(write, ssize_t, (int file, const void *data, size_t size), (file, data, size))
UNLESS_BAD(pwrite, ssize_t, (int file, const void *data, size_t size, off_t at), (file, data, size, at))
UNLESS_BAD(pwrite64, ssize_t, (int file, const void *data, size_t size, off64_t at), (file, data, size, at))
UNLESS_BAD(fsync, int, (int file), (file))
UNLESS_BAD(fdatasync, int, (int file), (file))
UNLESS_BAD(ftruncate, int, (int file, off_t size), (file, size))
UNLESS_BAD(ftruncate64, int, (int file, off64_t size), (file, size))
