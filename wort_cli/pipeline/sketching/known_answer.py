"""Checks compiled functions with a known answer, once in each process, before their results count.

numba loads machine code from a cache on disk.  One flipped bit there, or a faulty processor, would give wrong
signatures at every run without any error.  So each module with compiled functions has a KnownAnswer: a small
computation, and the digest of its right result, which sourmash and plain Python confirm in the tests.

The sums of the files in the cache are recorded once they have given the right result, because damaged machine code may
also end the process.  If a file differs from its sum, or if the result is wrong, the functions are compiled again.  If
it is still wrong, the machine cannot be trusted, and the job fails with `machine-error`.
"""

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.system.atomic_files import write_atomically


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
        cache = self._functions[0].stats.cache_path
        sums = Path(cache, f"{self.name}.sums") if cache else None
        if self._is_damaged(sums) or not self.is_right():
            for function in self._functions:
                function.recompile()  # this also drops what is in the cache
            if not self.is_right():
                detail = f"the loops of {self.name} give a wrong result, also after they were compiled again"
                raise JobFailed(Reason.MACHINE_ERROR, detail)
        if sums is not None:
            self._save_sums(sums)

    def is_right(self) -> bool:
        """Return whether the functions give the right result."""
        return hashlib.sha256(self.compute()).hexdigest() == self.sha256

    def _is_damaged(self, sums: Path | None) -> bool:
        """Return whether a file of the cache differs from its recorded sum.  Damaged code may end the process."""
        if sums is None:
            return False
        recorded = recorded_sums(sums)
        return any(recorded.get(name, found) != found for name, found in self._found_sums(sums.parent).items())

    def _save_sums(self, sums: Path) -> None:
        """Record the sums of the files in the cache, which give the right result."""
        found = self._found_sums(sums.parent)
        if recorded_sums(sums) != found:
            with contextlib.suppress(OSError):  # the cache is another user's, or the disk is full
                write_atomically(sums, json.dumps(found).encode())

    def _found_sums(self, cache: Path) -> dict[str, str]:
        """Return the sha256 of each file with machine code of these functions."""
        found = {}
        for function in self._functions:
            module = function.__module__.rpartition(".")[2]
            for file in cache.glob(f"{module}.{function.__name__}-*.nbc"):
                with contextlib.suppress(OSError):
                    found[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
        return found


def recorded_sums(sums: Path) -> dict[str, str]:
    """Return the sums in a file; none if it is missing or invalid."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(sums.read_bytes())
        return found if isinstance(found, dict) else {}
    return {}


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
