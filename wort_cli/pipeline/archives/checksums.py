"""The md5 sums that an archive has of its own files.

A loader writes a file of sums into each directory: `tbl/SEQUENCE/col/READ/md5` has the sums of the column's data,
indexes and metadata, `md5` those of the database's metadata, `idx/skey.md5` that of an index.  They have the form of
md5sum(1), with names relative to their directory.

The sums prove that the bytes are those which the loader wrote.  They do not prove which run they are of.
"""

import hashlib
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from wort_cli.pipeline.archives.kar import Extent
from wort_cli.system.cancellation import NEVER, Cancellation

SUM_LINE = re.compile(rb"(?P<md5>[0-9a-f]{32}) [ *](?P<name>[!-~]{1,255})")
"""A line of md5sum(1), with a name of printable ASCII."""
MAX_SUMS_SIZE = 1 << 16
"""Bytes; real files of sums have up to 300."""

ReadExtent = Callable[[Extent], Iterator[bytes]]
"""Yields the bytes of an extent of the archive, in pieces."""


class ChecksumError(ValueError):
    """A file of the archive does not match its sum, or a file of sums makes no sense; the text says which."""


def is_sums_file(path: str) -> bool:
    """Return whether a file of the archive holds sums."""
    return posixpath.basename(path) == "md5" or path.endswith(".md5")


def parse_sums(path: str, content: bytes) -> dict[str, str]:
    """Return the sums in the file at `path`, by the paths of the files that they are of.

    Raises ChecksumError unless every line is a sum of a file below the same directory, and no file has two.  The file
    `X.md5` may have the sum of `X` only: another name means that the table of contents is damaged.
    """
    folder, file_name = posixpath.split(path)
    only = "" if file_name == "md5" else file_name.removesuffix(".md5")
    sums: dict[str, str] = {}
    for line in content.splitlines():
        found = SUM_LINE.fullmatch(line)
        if found is None:
            raise ChecksumError(f"{path} is not a list of md5 sums")
        name = found["name"].decode("ascii")
        target = posixpath.join(folder, name)
        if not {"", ".", ".."}.isdisjoint(name.split("/")):
            raise ChecksumError(f"{path} has a sum of {name}, which is outside its directory")
        if only and name != only:
            raise ChecksumError(f"{path} has a sum of {name} instead of {only}")
        if target in sums:
            raise ChecksumError(f"{path} has two sums of {name}")
        sums[target] = found["md5"].decode("ascii")
    return sums


def read_sums(table: Mapping[str, Extent], read: ReadExtent) -> dict[str, str]:
    """Return all sums of an archive by the paths of the files that they are of.

    Raises ChecksumError if a file of sums is too large or makes no sense, or if two disagree.
    """
    sums: dict[str, str] = {}
    for path, extent in table.items():
        if not is_sums_file(path):
            continue
        if extent.size > MAX_SUMS_SIZE:
            raise ChecksumError(f"{path} has {extent.size:,} bytes, too many for a list of sums")
        for target, md5 in parse_sums(path, b"".join(read(extent)) if extent.size else b"").items():
            if sums.setdefault(target, md5) != md5:
                raise ChecksumError(f"there are two different sums of {target}")
    return sums


def md5_of(pieces: Iterable[bytes], cancellation: Cancellation = NEVER) -> str:
    """Return the md5 of bytes in hexadecimal.  Raises Cancelled if the job is cancelled meanwhile."""
    md5 = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        cancellation.check()
        md5.update(piece)
    return md5.hexdigest()


def check_file(
    path: str,
    table: Mapping[str, Extent],
    sums: Mapping[str, str],
    read: ReadExtent,
    cancellation: Cancellation = NEVER,
) -> None:
    """Raise ChecksumError unless a file matches its sum.  Raises Cancelled if the job is cancelled meanwhile."""
    extent = table[path]
    if md5_of(read(extent) if extent.size else (), cancellation) != sums[path]:
        raise ChecksumError(f"{path} does not match the md5 sum that the archive has of it")
