"""Opens files and directories below the root of a shared directory, where other users may write too.

Each directory is opened relative to the one above it, and links are never followed: a user who may write in the
shared directory cannot lead this user's process to other files.  OSErrors become StoreErrors here.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wort_cli.errors import cause_of, shown
from wort_cli.model.failure import Reason
from wort_cli.stores.object_store import PreconditionFailed, StoreError
from wort_cli.stores.s3_errors import storage_denied
from wort_cli.system.private_files import PRIVATE, users_umask

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""O_NONBLOCK, so that a named pipe in the place of a file does not keep us waiting."""
NEEDS_A_PERSON = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EXDEV}
)
"""Errors that do not pass; any other, such as a full disk, a quota, or a server that is away, may."""


NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL})
ABANDONED = 86_400.0
"""Seconds after which an unfinished file is removed."""


class DirectoryTree:
    """The directories below a root, which must exist: a disk that is not mounted must not look like an empty store."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def directory(self, parts: Sequence[str], *, create: bool = False) -> Iterator[int]:
        """Yield the descriptor of a directory; raise FileNotFoundError if it does not exist, and is not created."""
        with contextlib.ExitStack() as stack:

            def opened(name: str | Path, parent: int | None, flags: int) -> int:
                descriptor = os.open(name, flags, dir_fd=parent)
                stack.callback(os.close, descriptor)
                return descriptor

            try:
                here = opened(self.root, None, DIRECTORY & ~os.O_NOFOLLOW)  # the user named it, so it may be a link
            except FileNotFoundError:
                raise storage_denied(
                    f"the shared directory {shown(str(self.root), 200)} does not exist",
                    "create it, or mount its disk; or correct s3_bucket",
                ) from None
            for part in parts:
                if create:
                    make_directory(part, here)
                here = opened(part, here, DIRECTORY)
            yield here

    @contextmanager
    def translate_errors(self, key: str) -> Iterator[None]:
        """Turn each OSError into a StoreError."""
        try:
            yield
        except OSError as error:
            where = shown(f"{self.root}/{key}", 300)
            if isinstance(error, TimeoutError):
                raise StoreError(Reason.STORAGE_DOWN, f"{where}: {cause_of(error)}") from error
            sentence = f"{where}: {error.strerror or error}"
            if error.errno in NEEDS_A_PERSON:
                hint = "check who may read and write the shared directory; nothing in it may be a link"
                raise storage_denied(sentence, hint) from error
            raise StoreError(Reason.STORAGE_DOWN, sentence) from error


def make_directory(name: str, parent: int) -> None:
    """Create a directory with the user's umask, unless another process was faster.

    Where the kernel passes on the group of the directory above (set-group-ID), that stays so.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, PRIVATE, dir_fd=parent)
        made = os.open(name, DIRECTORY, dir_fd=parent)
        try:
            os.fchmod(made, 0o777 & ~users_umask() | os.fstat(made).st_mode & stat.S_ISGID)
        finally:
            os.close(made)
        os.fsync(parent)


def open_regular(name: str, directory: int) -> tuple[int, os.stat_result]:
    """Open a file for reading; return its descriptor and its status.  Raises OSError if it is not a regular file."""
    descriptor = os.open(name, READ, dir_fd=directory)
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode):
        return descriptor, found
    os.close(descriptor)
    raise OSError(errno.EISDIR, "it is not a regular file")


def open_shared(name: str, directory: int) -> int:
    """Open a file for reading and writing, and create it with the user's umask if it is missing."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=directory)
    except FileExistsError:
        return os.open(name, flags, dir_fd=directory)
    os.fchmod(descriptor, 0o666 & ~users_umask())
    return descriptor


def give_name(partial: str, partials: int, name: str, directory: int) -> None:
    """Give a finished file its name; raise PreconditionFailed if that exists."""
    try:
        os.link(partial, name, src_dir_fd=partials, dst_dir_fd=directory, follow_symlinks=False)
    except FileExistsError:
        # A file server may have carried out a request whose answer was lost; then the name is that of our file.
        ours = os.stat(partial, dir_fd=partials, follow_symlinks=False)
        if not os.path.samestat(ours, os.stat(name, dir_fd=directory, follow_symlinks=False)):
            raise PreconditionFailed from None
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        os.rename(partial, name, src_dir_fd=partials, dst_dir_fd=directory)  # the lock is held, and the name is free


def remove_abandoned(directory: int, now: float) -> None:
    """Remove unfinished files that killed writers have left; `now` is the file server's time."""
    with os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # another process has removed it, or may and will
                if now - entry.stat(follow_symlinks=False).st_mtime > ABANDONED:
                    os.unlink(entry.name, dir_fd=directory)
