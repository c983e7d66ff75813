"""Keeps the machine code of loops in files.

A file is valid for one processor type, one version of numba and LLVM, and one version of the sources; its name says
which.  It begins with the sum of its content, because damaged code could end the process.  It is beside the sources, or
in NUMBA_CACHE_DIR, or in the user's cache directory; never where others can write.
"""

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.file_locks import lock_file
from wort_cli.system.private_files import make_private, why_not_ours

Code = dict[str, tuple[str, bytes]]
"""For each function the name of its symbol, and an object file."""
CACHE_DIRECTORY = "NUMBA_CACHE_DIR"
LONGEST_COMPILATION = 300.0
"""Seconds; on a busy machine."""


def encode(code: Code) -> bytes:
    """Return machine code as a file: a line with the sum of the rest, which is JSON."""
    document = {name: [symbol, base64.b64encode(data).decode()] for name, (symbol, data) in code.items()}
    text = json.dumps(document).encode()
    return hashlib.sha256(text).hexdigest().encode() + b"\n" + text


def decode(file: bytes) -> Code | None:
    """Return the machine code of a file; None if it is damaged."""
    sum_, _, text = file.partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != sum_:
        return None
    return {name: (symbol, base64.b64decode(data)) for name, (symbol, data) in json.loads(text).items()}


def read_code(name: str) -> Code | None:
    """Return the machine code of the first file of this name that only this user or root can have written."""
    for directory in cache_directories():
        with contextlib.suppress(OSError):
            if not why_not_ours(directory) and not why_not_ours(directory / name):
                return decode((directory / name).read_bytes())
    return None


def save_code(name: str, code: Code) -> None:
    """Keep machine code in the first directory that belongs to this user; nowhere if there is none."""
    for directory in cache_directories():
        with contextlib.suppress(OSError):
            make_private(directory)
            write_atomically(directory / name, encode(code))
            return


@contextlib.contextmanager
def only_compiler(name: str) -> Iterator[tuple[int, ...]]:
    """Wait until no other process compiles the code of this name; yield the descriptor of the lock, for the compiler.

    The compiler keeps the lock if the process that has started it dies.  Yields nothing if there is no place for a
    lock, or if one process keeps it for too long: then two may compile the same.
    """
    with contextlib.ExitStack() as stack:
        descriptors: tuple[int, ...] = ()
        for directory in cache_directories():
            with contextlib.suppress(OSError):
                make_private(directory)
                file = stack.enter_context((directory / f"{name}.lock").open("ab"))
                lock_file(file, LONGEST_COMPILATION)
                descriptors = (file.fileno(),)
                break
        yield descriptors


def cache_directories() -> Iterator[Path]:
    """Yield the directories in which machine code may be."""
    chosen = os.environ.get(CACHE_DIRECTORY)
    yield Path(chosen) if chosen else Path(__file__).parent / "__pycache__"
    yield platformdirs.user_cache_path("wort") / "loops"
