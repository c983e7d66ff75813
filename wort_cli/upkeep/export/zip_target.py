"""The collection that an export writes.

Of an earlier one, it keeps what has not changed, and what was not asked for now.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from wort_cli.errors import UsageError, shown
from wort_cli.ledger.sketches import Entry
from wort_cli.model.sketch_row import SketchRow
from wort_cli.system.zip_writer import Damaged, Member
from wort_cli.upkeep.export.collection import Collection, collection
from wort_cli.upkeep.export.contents import Contents
from wort_cli.upkeep.export.earlier import Earlier, NotOurs, look_through, signatures_in

BLOCK = 1 << 20


class ZipTarget:
    """A collection that is being written; `earlier` are the signatures of the one in `file`, in order.

    `is_refuted` tells of a name whether its signature must not be kept.
    """

    def __init__(
        self,
        path: Path,
        made: Collection,
        is_refuted: Callable[[str], bool],
        file: IO[bytes] | None = None,
        earlier: Iterable[Earlier] = (),
    ) -> None:
        self._path = path
        self._made = made
        self._is_refuted = is_refuted
        self._file = file
        self._earlier = iter(earlier)
        self._next = next(self._earlier, None)
        self.others = 0
        """Signatures of the earlier collection that were not asked for now."""

    def keep(self, entry: Entry, mark: bytes) -> int:
        """Keep what the earlier collection has of a signature, if it has that mark; return the number of sketches.

        Signatures of the earlier collection before it, in the order of names, are kept too.
        """
        self._keep_others(entry.name)
        if self._next is None or self._next.name != entry.name:
            return 0
        found, self._next = self._next, next(self._earlier, None)
        return found.sketches if found.has_mark(mark) and self._copy(found) else 0

    def add(self, name: str, rows: Sequence[SketchRow], content: bytes, mark: bytes) -> None:
        """Add a file with some sketches of a signature."""
        self._made.add(name, rows, content, mark)

    def add_stream(self, name: str, rows: Sequence[SketchRow], pieces: Iterable[bytes], size: int, mark: bytes) -> None:
        """Add a file of `size` bytes.  If the pieces raise an exception, nothing is added."""
        self._made.add_stream(name, rows, pieces, size, mark)

    @property
    def contents(self) -> Contents:
        """The contents of the collection so far."""
        return self._made.contents

    def add_other(self, name: str, pieces: Iterable[bytes]) -> None:
        """Add a file that is no signature."""
        self._made.add_other(name, pieces, self._path)

    def finish(self) -> None:
        """Keep the rest of the earlier collection."""
        self._keep_others(None)

    def _keep_others(self, before: str | None) -> None:
        while self._next is not None and (before is None or self._next.name < before):
            if not self._is_refuted(self._next.name):
                self.others += self._copy(self._next)
            self._next = next(self._earlier, None)

    def _copy(self, found: Earlier) -> bool:
        """Copy the members of a signature; return False, without any of them, if one is damaged."""
        if len(found.members) == 1:
            [(member, rows)] = found.members
            return self._copy_member(found.name, member, rows, self._pieces(member))
        contents = []
        try:
            contents = [b"".join(self._pieces(member)) for member, _ in found.members]
        except Damaged:
            return False
        return all(
            self._copy_member(found.name, member, rows, [content])
            for (member, rows), content in zip(found.members, contents, strict=True)
        )

    def _copy_member(self, name: str, member: Member, rows: Sequence[SketchRow], pieces: Iterable[bytes]) -> bool:
        try:
            self._made.add_copy(member.name.decode(), name, rows, pieces, member.size, member.comment)
        except Damaged:
            return False
        return True

    def _pieces(self, member: Member) -> Iterator[bytes]:
        """Yield the bytes of a member; raise Damaged if they do not have its checksum."""
        if self._file is None:
            raise Damaged
        crc, position, rest = 0, member.data_offset, member.size
        while rest > 0:
            self._file.seek(position)
            piece = self._file.read(min(rest, BLOCK))
            if not piece:
                raise Damaged
            crc, position, rest = zlib.crc32(piece, crc), position + len(piece), rest - len(piece)
            yield piece
        if crc != member.crc:
            raise Damaged


@contextmanager
def zip_target(
    path: Path, is_refuted: Callable[[str], bool], *, update: bool, keep_contents: bool
) -> Iterator[ZipTarget]:
    """Yield a new collection, which replaces the one at `path` when it is complete.

    update: keep what the earlier collection has.  Raises UsageError if `wort export` did not write it.
    keep_contents: so that `contents.files()` can be called
    """
    try:
        with ExitStack() as stack:
            made = stack.enter_context(collection(path, keep_contents=keep_contents))
            if not (update and path.exists()):
                yield ZipTarget(path, made, is_refuted)
                return
            file = stack.enter_context(path.open("rb"))
            manifest = look_through(file, made.reserve)
            target = ZipTarget(path, made, is_refuted, file, signatures_in(file, manifest))
            yield target
            target.finish()
    except NotOurs:
        raise UsageError(
            f"{shown(str(path), 200)} is not a collection that `wort export` wrote, or it is damaged; it is unchanged",
            "without --update, --force replaces it",
        ) from None
