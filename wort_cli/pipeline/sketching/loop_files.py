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
from typing import IO

import platformdirs

from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.file_locks import lock_file
from wort_cli.system.private_files import make_private, why_not_ours

Code = dict[str, tuple[str, bytes]]
"""For each function the name of its symbol, and an object file."""
CACHE_DIRECTORY = "NUMBA_CACHE_DIR"
LONGEST_COMPILATION = 120.0
"""Seconds to wait for another process that compiles.  It takes some five seconds on an idle machine."""


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
def one_compilation(name: str) -> Iterator[None]:
    """Keep other processes from compiling the same loops during the block, but none for longer than a limit.

    Many workers may need them at once, and one process for each would take minutes together.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # such as TimeoutError
            lock_file(stack.enter_context(open_lock(name)), LONGEST_COMPILATION)
        yield


def open_lock(name: str) -> IO[bytes]:
    """Open the lock of some loops, in the directory in which `save_code` would keep them.  Raises OSError."""
    for directory in cache_directories():
        with contextlib.suppress(OSError):
            make_private(directory)
            return (directory / f"{name}.lock").open("ab")
    raise FileNotFoundError(f"no directory for machine code of {name}")


def cache_directories() -> Iterator[Path]:
    """Yield the directories in which machine code may be."""
    chosen = os.environ.get(CACHE_DIRECTORY)
    yield Path(chosen) if chosen else Path(__file__).parent / "__pycache__"
    yield platformdirs.user_cache_path("wort") / "loops"
