"""Loads or compiles the numba functions before they are needed.

Compiling takes seconds, once per machine; afterwards the functions are loaded from the cache.  The kernel is compiled
in a thread while the tools examine the archive.  All other functions are compiled at the same time by a child process,
`python -m wort_cli.pipeline.warm_up`, which writes them to the cache.
"""

import contextlib
import gc
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from wort_cli.model.failure import JobFailed
from wort_cli.pipeline.sketching.engine import Engine, KernelEngine
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import Cancelled


def warm_up(engine: Engine, tools: ToolGroup) -> None:
    """Load the engine's compiled functions, or compile them."""
    load_numba_once()
    with contextlib.suppress(Cancelled, JobFailed):  # an error occurs again, and is reported, when the engine is used
        if engine.name != KernelEngine.name or not never_compiled():
            engine.hash_text(b"N")
            return
        tools.start([sys.executable, "-m", "wort_cli.pipeline.warm_up"])
        with no_garbage_collection():
            engine.hash_text(b"N")


@cache
def load_numba_once() -> None:
    """Import numba before an engine imports anything: see `jit.hidden`."""
    from wort_cli.pipeline.sketching.jit import load_numba

    load_numba()


def never_compiled() -> bool:
    """Return whether the cache has no entry for the kernel; an entry may be of another CPU or version."""
    from wort_cli.pipeline.sketching.kernel import hash_blocks

    cache = getattr(getattr(hash_blocks, "stats", None), "cache_path", None)
    module = hash_blocks.__module__.rpartition(".")[2]
    return cache is not None and not any(Path(cache).glob(f"{module}.{hash_blocks.__name__}-*.nbi"))


@contextlib.contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Disable garbage collection while compiling; it would take an eighth of the time and find few cycles."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def compile_others() -> None:
    """Compile all functions except the kernel, by calling them with the smallest possible arguments."""
    from wort_cli.pipeline.seal import are_decimals, number_blocks
    from wort_cli.pipeline.sketching.hash_counts import HashCounts
    from wort_cli.pipeline.sketching.read_stats import STATS

    with contextlib.suppress(CannotDecode):
        from wort_cli.pipeline.decoding.layouts import Column
        from wort_cli.pipeline.decoding.vdb_decoder import read_spots

        read_spots(np.zeros(len(Column), np.uint64), 0, 1, 0, np.zeros(1, np.dtype(STATS)), np.zeros(1, np.uint8))
    numbers = np.arange(1, 3, dtype=np.uint64)
    counts = HashCounts()
    counts.add(numbers)
    counts.table()
    list(number_blocks(numbers))
    are_decimals(np.frombuffer(b"1,2", np.uint8), numbers)


if __name__ == "__main__":
    with no_garbage_collection():
        compile_others()
