"""Loads the compiled loops before they are needed, while the archive is located and proved.

Compiling takes seconds, once per machine; afterwards the loops are loaded from a file (loops.py).
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from wort_cli.model.failure import JobFailed
from wort_cli.pipeline.decoding.decoder_choice import AUTO
from wort_cli.pipeline.sketching.engine import Engine, KernelEngine
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode


def warm_up(engine: Engine, decoder: str, vdb_library: str = "", *, start: bool = True) -> None:
    """Load the loops of a job, or compile them, two modules at a time.  An error occurs again when they are used.

    decoder, vdb_library: the settings
    start: whether libncbi-vdb is started too; like every tool of the toolkit it then writes the user's SRA settings
    """
    loaders: list[Callable[[], None]] = [load_counting, load_sealing]
    if engine.name == KernelEngine.name:
        decoding = [partial(load_decoder, vdb_library, start=start)] if decoder == AUTO else []
        loaders = [load_kernel, *decoding, *loaders]
    with ThreadPoolExecutor(2) as executor:
        for loader in loaders:
            executor.submit(try_loading, loader)


def try_loading(loader: Callable[[], None]) -> None:
    """Load some loops, unless that fails."""
    with contextlib.suppress(JobFailed, CannotDecode):
        loader()


def load_kernel() -> None:
    """Load the loops that hash."""
    from wort_cli.pipeline.sketching.hash_text import KERNEL

    KERNEL.load()


def load_decoder(vdb_library: str, *, start: bool) -> None:
    """Load the loop that reads spots, and the library that it calls."""
    from wort_cli.pipeline.decoding.vdb_library import choose_library, start_library

    choose_library(vdb_library)
    if start:
        start_library()
    from wort_cli.pipeline.decoding.vdb_decoder import SPOTS

    SPOTS.load()


def load_counting() -> None:
    """Load the loops that count hashes."""
    from wort_cli.pipeline.sketching.hash_counts import COUNTING

    COUNTING.load()


def load_sealing() -> None:
    """Load the loops that write and read numbers."""
    from wort_cli.pipeline.decimals import DECIMALS

    DECIMALS.load()
