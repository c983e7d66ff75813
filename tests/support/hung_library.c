/* A libncbi-vdb that hangs in the function that $HANG_IN names, but reads the first spot.  The others are the real ones. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANGS(name, condition)                                                  \
    unsigned name(void *a, void *b, void *c, void *d, void *e, void *f)         \
    {                                                                           \
        const char *hung = getenv("HANG_IN");                                   \
        while ((condition) && hung != NULL && strcmp(hung, #name) == 0)         \
            pause();                                                            \
        return ((unsigned (*)(void *, void *, void *, void *, void *, void *))  \
                    dlsym(RTLD_NEXT, #name))(a, b, c, d, e, f);                 \
    }

HANGS(SRAMgrOpenAltTableRead, 1)
HANGS(VBlobCellData, (long)b > 1) /* b is the number of the spot */
