"""Checks compiled functions with a known answer, once in each process, before their results count.

numba loads machine code from a cache on disk.  One flipped bit there, or a faulty processor, would give wrong
signatures at every run without any error.  So each module with compiled functions has a KnownAnswer: a small
computation, and the digest of its right result, which sourmash and plain Python confirm in the tests.

If the result is wrong, or if an earlier process died while it computed it, the functions are compiled again.  If it is
still wrong, the machine cannot be trusted, and the job fails with `machine-error`.
"""

import contextlib
import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.failure import JobFailed, Reason

JUST_MADE = 1.0
"""Seconds; a younger mark may not be locked yet."""


class KnownAnswer:
    """The known answer of some compiled functions.

    functions: what `jit` returned
    compute: returns the bytes of the result, computed with these functions
    sha256: of the right result, in hexadecimal
    """

    def __init__(self, name: str, functions: tuple[Any, ...], compute: Callable[[], bytes], sha256: str) -> None:
        self.name = name
        self.sha256 = sha256
        self.compute = compute
        self._functions = [function for function in functions if hasattr(function, "recompile")]
        """Empty without numba: plain Python needs no check."""
        self._lock = threading.RLock()
        self._checked = not self._functions

    def check(self) -> None:
        """Compute the answer, the first time in this process.  Raises JobFailed(machine-error) if it stays wrong."""
        if self._checked:
            return
        with self._lock:
            if self._checked:
                return
            self._checked = True  # `compute` calls functions that call this method
            try:
                self._check()
            except BaseException:
                self._checked = False
                raise

    def _check(self) -> None:
        with self._mark() as died:
            if not died and self.is_right():
                return
            for function in self._functions:
                function.recompile()  # this also drops what is in the cache
            if not self.is_right():
                detail = f"the loops of {self.name} give a wrong result, also after they were compiled again"
                raise JobFailed(Reason.MACHINE_ERROR, detail)

    def is_right(self) -> bool:
        """Return whether the functions give the right result."""
        return hashlib.sha256(self.compute()).hexdigest() == self.sha256

    @contextlib.contextmanager
    def _mark(self) -> Iterator[bool]:
        """Leave a locked file beside the cache while the context runs; yield whether a process died that had left one.

        Damaged machine code may well end its process.
        """
        cache = self._functions[0].stats.cache_path
        if cache is None:
            yield False
            return
        died = any(was_abandoned(other) for other in Path(cache).glob(f"{self.name}.*.checking"))
        mark = Path(cache, f"{self.name}.{os.getpid()}.checking")
        descriptor = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield died
        finally:
            mark.unlink(missing_ok=True)
            os.close(descriptor)


def known_numbers(count: int) -> NDArray[np.uint64]:
    """Return pseudo-random numbers of 64 bits (SplitMix64, Steele et al. 2014), always the same."""
    x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def known_letters(count: int) -> bytes:
    """Return pseudo-random DNA, always the same: both cases, and a few letters that are unknown."""
    numbers = known_numbers(count)
    letters = np.frombuffer(b"ACGTacgt", np.uint8)[(numbers & np.uint64(7)).astype(np.intp)]
    return np.where(numbers >> np.uint64(8) & np.uint64(255) == 0, np.uint8(ord("N")), letters).tobytes()


def was_abandoned(mark: Path) -> bool:
    """Return whether the process that left a mark has died; if so, remove it.  The kernel has released its lock."""
    with contextlib.suppress(OSError), mark.open("rb") as file:
        if time.time() - os.fstat(file.fileno()).st_mtime > JUST_MADE:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mark.unlink()
            return True
    return False
