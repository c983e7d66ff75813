"""Files of this user alone: the umask, private directories, and whether others can write a file.

A file or directory is this user's own if it belongs to the user or to root, and no other user can write it.  A group
that has the user's name is private: many systems give each user one, and let new files be written by it.
"""

import errno
import grp
import os
import pwd
import stat
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

PRIVATE, PRIVATE_UMASK = 0o700, 0o077
_umask: list[int] = []
"""The umask that the user has set; empty until it is replaced."""


def use_private_umask() -> None:
    """Make the files that this process creates readable by this user only.  Called first in each program."""
    before = os.umask(PRIVATE_UMASK)
    if not _umask:
        _umask.append(before)


def users_umask() -> int:
    """Return the umask for files that the user asked for, and will share as usual: the one that the user has set."""
    if _umask:
        return _umask[0]
    text = Path("/proc/self/status").read_text()
    return int(text.partition("\nUmask:")[2].split(maxsplit=1)[0], 8)


def make_directories(directory: Path, mode: int = PRIVATE) -> None:
    """Create a directory and its missing parents, each with this mode.  Raises OSError.

    Where the kernel passes on the group of the directory above (set-group-ID), that stays so.
    """
    if directory.is_dir():
        return
    missing = [place for place in directory.parents if not place.exists()]
    for place in (*reversed(missing), directory):
        place.mkdir(mode=PRIVATE, exist_ok=True)
        if mode != PRIVATE:
            place.chmod(mode | (place.stat().st_mode & stat.S_ISGID))


def make_shared(directory: Path) -> None:
    """Create a directory that the user asked for, and its missing parents, with the user's umask.  Raises OSError."""
    make_directories(directory, 0o777 & ~users_umask())


def make_private(directory: Path) -> None:
    """Create a directory of this user alone, like `make_directories`, or check that the one that is there is.

    Raises PermissionError if others own it or can write it, another OSError if it cannot be created.
    """
    make_directories(directory)
    if why := why_not_ours(directory):
        raise PermissionError(errno.EPERM, f"others may have written in it: it {why}", str(directory))


def why_not_ours(path: Path) -> str:
    """Return why a file or directory is not this user's own, as a predicate; '' if it is.  Raises OSError."""
    found = path.stat()
    if found.st_uid not in (os.geteuid(), 0):
        return f"belongs to {name_of_user(found.st_uid)}"
    if found.st_mode & stat.S_IWOTH:
        return "can be written by everybody"
    if found.st_mode & stat.S_IWGRP and not is_private_group(found.st_gid):
        return f"can be written by the group {name_of_group(found.st_gid)}"
    return ""


def not_ours(roots: Collection[Path], inside: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield those of some directories, and of the files inside them, that exist and are not this user's own, and why.

    What is inside a directory that others cannot enter may have any permissions.
    """
    closed = {root for root in roots if is_closed(root)}
    for path in (*roots, *(path for path in inside if not closed & set(path.parents))):
        try:
            why = why_not_ours(path)
        except OSError:  # it does not exist, or this user cannot read it anyway
            continue
        if why:
            yield path, why


def is_closed(directory: Path) -> bool:
    """Return whether a directory exists, and only its owner may enter it."""
    try:
        return not directory.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    except OSError:
        return False


def take_write_permission(path: Path) -> None:
    """Let nobody but the owner write a file or directory.  Raises OSError."""
    path.chmod(stat.S_IMODE(path.stat().st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))


@cache
def is_private_group(gid: int) -> bool:
    """Return whether a group has this user's name and no other members."""
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(gid)
    except KeyError:
        return False
    return group.gr_name == user.pw_name and user.pw_gid == gid and set(group.gr_mem) <= {user.pw_name}


def name_of_user(uid: int) -> str:
    """Return the name of a user, or the number if it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user {uid}"


def name_of_group(gid: int) -> str:
    """Return the name of a group, or its number if it has no name."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
