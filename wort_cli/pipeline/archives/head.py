"""Fetches the head of an archive: the table of contents, the md5 sums, and what is needed to prove these two.

The head says what the large columns must be, so it is fetched first, and from a location that the locator names.  One
that cannot prove the archive may have been damaged on the way: it is fetched again, until a location serves the same
bytes twice.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from wort_cli.pipeline.archives.checksums import ChecksumError, check_file, is_sums_file
from wort_cli.pipeline.archives.column_proof import (
    Contents,
    NotProvable,
    check_provable,
    join,
    read_contents,
    sums_of,
)
from wort_cli.pipeline.archives.kar import HEADER_SIZE, Extent, KarError, merge_extents, read_header
from wort_cli.pipeline.archives.partial import PartialArchive
from wort_cli.pipeline.archives.sources import Sources
from wort_cli.pipeline.archives.structure import metadata_of_tables

HEAD_SIZE = 1 << 17
"""Bytes that are fetched first; of most archives they hold everything but the large columns."""
MAX_HEAD_SIZE = 1 << 25
"""Bytes; real heads have some 100 kB, and a hostile table of contents may call anything a file of sums."""


class NoSums(NotProvable):
    """The archive has no md5 sums at all, which no damage on the way can cause."""


@dataclass(frozen=True)
class Head:
    """The contents of an archive, and sums that can prove them."""

    contents: Contents
    sums: Mapping[str, str]
    identified: bool
    """Whether all of it came from locations that the locator names."""


def fetch_head(sources: Sources, partial: PartialArchive, decoder: str, log: Callable[[str], None]) -> Head:
    """Fetch, read and check the head.

    Raises NotProvable if the sums of the archive cannot prove what `decoder` needs; HttpError if nothing serves it.
    """
    seen: set[tuple[str, str]] = set()
    for _ in range(sources.rounds):
        location = sources.first_for_head
        extents = [Extent(0, min(HEAD_SIZE, partial.identity.size))]
        try:
            return read_head(sources, partial, decoder, extents)
        except NoSums:
            raise
        except NotProvable as why:
            log(f"the head of the archive cannot prove it: {why}")
            reason = why
        answer = (location, digest_of_extents(partial, extents))
        if answer in seen:
            break
        seen.add(answer)
        for extent in extents:
            partial.forget(extent)
        sources.next_turn()
    raise reason


def read_head(sources: Sources, partial: PartialArchive, decoder: str, extents: list[Extent]) -> Head:
    """Fetch what is missing of the head, read it, and check it.  Raises NotProvable if it cannot prove the archive.

    `extents` are fetched first; those that are fetched then are added to it.
    """

    def fetch(more: Iterable[Extent]) -> None:
        extents[:] = merge_extents([*extents, *more])
        if sum(extent.size for extent in extents) > MAX_HEAD_SIZE:
            raise NotProvable("its md5 sums and metadata are absurdly large")
        sources.fetch_head(extents)

    size = partial.identity.size
    fetch([])
    try:
        header = read_header(join(partial.read(Extent(0, min(HEADER_SIZE, size)))))
    except KarError as error:
        raise NotProvable(str(error)) from error
    fetch([Extent(0, min(header.data_offset, size))])
    contents = read_contents(size, partial.read, decoder)
    metadata = metadata_of_tables(contents.table)
    if not any(is_sums_file(path) for path in contents.table):
        raise NoSums("it has no md5 sums")
    fetch(contents.table[path] for path in contents.table if is_sums_file(path) or path in metadata)
    sums = sums_of(contents, partial.read)
    check_metadata(contents, sums, metadata, partial)
    check_provable(contents, sums, partial.read)
    extents = head_extents(contents)
    identified = not partial.not_named(extents)
    if identified:
        sources.compare_mirrors(extents)
    return Head(contents, sums, identified)


def check_metadata(
    contents: Contents, sums: Mapping[str, str], metadata: Iterable[str], partial: PartialArchive
) -> None:
    """Raise NotProvable unless the metadata that name the columns match their sums."""
    try:
        for path in metadata:
            if path in sums and path in contents.table:
                check_file(path, contents.table, sums, partial.read)
    except ChecksumError as error:
        raise NotProvable(str(error)) from error


def head_extents(contents: Contents) -> list[Extent]:
    """Return the table of contents and the files of sums."""
    sums = (extent for path, extent in contents.table.items() if is_sums_file(path))
    return merge_extents([Extent(0, contents.data_offset), *sums])


def digest_of_extents(partial: PartialArchive, extents: Iterable[Extent]) -> str:
    """Return a digest of the bytes of some extents."""
    digest = hashlib.sha256()
    for extent in extents:
        for piece in partial.read(extent):
            digest.update(piece)
    return digest.hexdigest()
