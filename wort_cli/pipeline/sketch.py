"""Sketches text in threads: an engine hashes piece after piece, the counts are added up in one place.

Pieces may be hashed in any order, for counts just add up.  At most two pieces a thread are under way, so that memory
does not depend on how fast the reads come.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from wort_cli.pipeline.counts import HashCounts, Hashes
from wort_cli.pipeline.engine import Engine
from wort_cli.profile import Profile
from wort_cli.signature_file import Sketch

PIECE = 1 << 20
"""Bytes of text that are hashed in one go, at the least."""


class Sketcher:
    """Makes the sketches of a profile of text that is added in order."""

    def __init__(self, profile: Profile, engine: Engine, threads: int) -> None:
        self._profile = profile
        self._engine = engine
        self._counts = [HashCounts() for _ in profile.ksizes]
        self._pieces: list[bytes] = []
        self._size = 0
        self._pending: deque[Future[list[tuple[Hashes, Hashes]]]] = deque()
        self._most_pending = 2 * threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sketch")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add(self, text: bytes) -> None:
        """Sketch more text; `text` must end where a read ends, or go on in the next call.  Waits if it must."""
        self._pieces.append(text)
        self._size += len(text)
        if self._size >= PIECE:
            self._submit(keep_last_read=True)

    def finish(self) -> tuple[Sketch, ...]:
        """The sketches of all text, one for each ksize of the profile."""
        self._submit(keep_last_read=False)
        while self._pending:
            self._collect()
        sketches = []
        for ksize, counts in zip(self._profile.ksizes, self._counts, strict=True):
            hashes, abundances = counts.sorted()
            sketches.append(Sketch(ksize, self._profile.seed, self._engine.max_hash, hashes, abundances))
        return tuple(sketches)

    def _submit(self, *, keep_last_read: bool) -> None:
        """Hand the text on to a thread; the last read stays if it may go on."""
        text = b"".join(self._pieces)
        end = text.rfind(b"N") if keep_last_read else len(text)
        if end <= 0 and keep_last_read:
            return
        self._pieces, self._size = [text[end:]], len(text) - end
        while len(self._pending) >= self._most_pending:
            self._collect()
        self._pending.append(self._pool.submit(self._engine.hash_text, text[:end]))

    def _collect(self) -> None:
        for counts, (hashes, abundances) in zip(self._counts, self._pending.popleft().result(), strict=True):
            counts.add(hashes, abundances)
