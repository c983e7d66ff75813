"""Atomic writes: a file appears under its final name only when it is complete and on the disk.

The file is written under another name, fsynced and renamed; then the directory is fsynced.  A process that is killed at
any moment leaves at most the unfinished file, whose name ends with `.partial`.

- `atomic_file` is for directories of wort.  The name is `NAME.BOOT.partial`: writers of the same file on this machine
  wait for each other, and the next one overwrites what a killed one left.  Machines that share the disk, and may not
  see each other's locks, have a name each.
- `long_output` is for what takes long: the name is always the same, so that nothing is left after a second try.
- `atomic_output` is for directories that other users may write to.  The name is random, and the file is new, so nobody
  can have put a link or a lock there.  `atomic_directory` does the same with several files that belong together.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wort_cli.system.file_locks import lock_file
from wort_cli.system.private_files import make_directories, users_umask
from wort_cli.system.process_identity import boot_tag

PARTIAL = ".partial"
"""The suffix of all unfinished files."""
PLANTED = 10
"""Foreign files that are removed from the place of an unfinished file, before the writer gives up."""


def partial_suffix() -> str:
    """Return how the names of unfinished files of this machine end, since it booted."""
    return f".{boot_tag()}{PARTIAL}"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file of wort's that appears under its name only when it is complete and on the disk."""
    with atomic_file(path) as file:
        file.write(data)


@contextmanager
def atomic_file(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Yield a file for writing and reading, which appears under its name only when it is complete and on the disk.

    If the block raises, no file appears.  Writers of the same file wait for each other.  A file that is not `durable`
    may be lost or damaged by a power failure: its bytes are compared with a sum of them before they are used again.
    """
    make_directories(path.parent)
    partial = path.with_name(f"{path.name}{partial_suffix()}")
    with exclusive_file(partial) as file:
        yield from finish(file, partial, path, durable=durable)


@contextmanager
def atomic_output(path: Path, *, replace: bool = True) -> Iterator[IO[bytes]]:
    """Like `atomic_file`, for a file that the user asked for.  Writers of the same file do not wait.

    Without `replace`, raises FileExistsError if the file exists when the new one is complete.
    """
    make_directories(path.parent)
    import tempfile

    descriptor, name = tempfile.mkstemp(partial_suffix(), f".{path.name}.", path.parent)
    with open(name, "r+b", opener=lambda *_: descriptor) as file:
        try:
            lock_file(file)  # tells upkeep/leftovers.py that its writer is alive
            os.fchmod(descriptor, 0o666 & ~users_umask())
        except BaseException:
            Path(name).unlink()
            raise
        yield from finish(file, Path(name), path, replace=replace)


@contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """Yield a new directory, which appears under the name `path` with all of its files, when they are on the disk.

    An empty directory of that name is replaced.  If the block raises, none appears.  Raises OSError if a directory that
    is not empty, or a file, has the name by then.
    """
    import shutil
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(partial_suffix(), f".{path.name}.", path.parent))
    try:
        partial.chmod(0o777 & ~users_umask())
        yield partial
        for each in (*partial.rglob("*"), partial):
            sync(each)
        partial.rename(path)
        sync(path.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


@contextmanager
def long_output(path: Path) -> Iterator[IO[bytes]]:
    """Like `atomic_output`, for a file that takes long to write; it may have any size before it is complete.

    The unfinished file is `.NAME.partial`: if a process was killed, the next writer of the same file overwrites what it
    left.  Writers of the same file wait for each other.
    """
    partial = path.with_name(f".{path.name}{PARTIAL}")
    with exclusive_file(partial) as file:
        os.fchmod(file.fileno(), 0o666 & ~users_umask())
        yield from finish(file, partial, path)


def finish(
    file: IO[bytes], partial: Path, path: Path, *, durable: bool = True, replace: bool = True
) -> Iterator[IO[bytes]]:
    """Yield the unfinished file; then sync it and give it its final name, or remove it after an error."""
    try:
        yield file
        file.flush()
        if durable:
            os.fsync(file.fileno())
        partial.replace(path) if replace else rename_to_new(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if durable:
        sync(path.parent)


def sync(path: Path) -> None:
    """Write a file or the names in a directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename_to_new(partial: Path, path: Path) -> None:
    """Rename a file; raise FileExistsError if its new name exists.

    On disks without hard links, that is looked up just before.
    """
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        partial.replace(path)
    else:
        partial.unlink()


def exclusive_file(path: Path) -> IO[bytes]:
    """Open an empty file that this process has locked until it closes it; wait while another process has it.

    A link, or a file of another user, is removed.  Raises OSError if that does not help, or if the wait takes too long.
    """
    for _ in range(PLANTED):
        try:
            file = open(path, "r+b", opener=open_own)  # noqa: SIM115 (Path.open has no opener)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.EPERM, errno.EACCES, errno.ENXIO):
                raise
            path.unlink()
            continue
        try:
            while True:
                lock_file(file)
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(path.lstat(), os.fstat(file.fileno())):  # else it was renamed while we waited
                        file.truncate(0)
                        return file
                file.close()
                file = open(path, "r+b", opener=open_own)  # noqa: SIM115
        except BaseException:
            file.close()
            raise
    raise PermissionError(errno.EPERM, "another user puts files or links in its place", str(path))


def open_own(path: str, flags: int) -> int:
    """Open a file without truncating it, and create it if it is missing; for the `opener` argument of `open`.

    Raises OSError(EPERM) unless it is a regular file of this user with one name, or OSError(ELOOP) if it is a link.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink <= 1:
        return descriptor
    os.close(descriptor)
    raise PermissionError(errno.EPERM, "is not a file of this user's own", path)
