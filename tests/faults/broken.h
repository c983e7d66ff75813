/* Tells whether a file belongs to a part of the machine that is broken at the moment: its path starts with the value of
 * the environment variable `variable`, and the file that the variable `while_variable` names exists.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_broken(int file, const char *variable, const char *while_variable)
{
    const char *place = getenv(variable), *bad_while = getenv(while_variable);
    char link[64], path[PATH_MAX];
    ssize_t length;

    if (!place || !bad_while || access(bad_while, F_OK))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, path, sizeof path);
    return length > 0 && (size_t)length >= strlen(place) && !strncmp(path, place, strlen(place));
}
