"""Places for large temporary files.  TMPDIR may be a small disk in memory, so nothing large goes there.

What belongs to a job goes into its workspace, and what belongs to a file goes beside it.  Here is a place for the rest:
the disk of the home.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wort_cli.system.private_files import make_private

PREFIX = "scratch-"
OTHERS = (Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108 (a private directory is made in it)


@contextmanager
def scratch_directory(cache_dir: Path) -> Iterator[Path]:
    """Yield an empty private directory below the cache directory of a home, or TMPDIR if nothing can be written there.

    It is removed at the end, and so is a home that was made for it; upkeep/leftovers.py removes those of processes that
    were killed.
    """
    import tempfile  # it takes 10 ms, and every command imports this module

    new = [directory for directory in (cache_dir, *cache_dir.parents) if not directory.exists()]
    try:
        make_private(cache_dir)
        found = Path(tempfile.mkdtemp(prefix=PREFIX, dir=cache_dir))
    except OSError:
        found = Path(tempfile.mkdtemp(prefix=f"wort-{PREFIX}"))
    try:
        yield found
    finally:
        shutil.rmtree(found, ignore_errors=True)
        with contextlib.suppress(OSError):  # another process uses it by now
            for directory in new:
                directory.rmdir()


def roomiest(places: Iterable[Path], size: int = 0) -> Path:
    """Return the writable directory with the most free space.  Raises OSError(ENOSPC) if none has `size` bytes."""
    best, most = None, -1
    for place in places:
        with contextlib.suppress(OSError):
            found = os.statvfs(place)
            if os.access(place, os.W_OK) and found.f_bavail * found.f_frsize > most:
                best, most = place, found.f_bavail * found.f_frsize
    if best is None or most < size:
        raise OSError(errno.ENOSPC, f"no temporary directory has room for {size} bytes: set TMPDIR", str(best or ""))
    return best


def temporary_places() -> tuple[Path, ...]:
    """Return the directories for temporary files of this machine."""
    return (Path(os.environ.get("TMPDIR") or "/tmp"), *OTHERS)  # noqa: S108 (a private directory is made in it)
