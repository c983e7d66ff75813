"""Seals: they prove that this home wrote what it reads back, such as a sealed signature that waits in a workspace.

A seal is an HMAC with a key that only this user can read.  It cannot be made without the key, so that a file
which another user put in place is ignored.
"""

import contextlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wort_cli.system.private_files import make_directories

KEY_SIZE = 32
"""Bytes."""
SEAL = "seal"
"""The key of the seal in a document."""
MAX_SIZE = 1 << 26
"""Bytes of a document that is read."""


def load_key(path: Path) -> bytes:
    """Return the key of a home; create it if it is missing, or if others can have read or written it.

    Raises OSError if it cannot be written.
    """
    make_directories(path.parent)
    while True:
        with contextlib.suppress(FileNotFoundError):
            if key := read_key(path):
                return key
            path.unlink()
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(KEY_SIZE))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was faster
                path.hardlink_to(unfinished)
        finally:
            unfinished.unlink()


def read_key(path: Path) -> bytes:
    """Return the key in a file; empty if it is damaged, or others can have read or written it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            return b""
        key = file.read(KEY_SIZE + 1)
    return key if len(key) == KEY_SIZE else b""


def new_seal(key: bytes, kind: str) -> "hmac.HMAC":
    """Start the seal of content of some kind; content of one kind cannot pass for another."""
    return hmac.new(key, f"wort {kind}\n".encode(), "sha256")


def sealed_document(document: Mapping[str, Any], key: bytes, kind: str) -> bytes:
    """Return the JSON of a document with its seal."""
    return json.dumps({**document, SEAL: seal_of(document, key, kind)}).encode()


def read_sealed_document(path: Path, key: bytes, kind: str) -> dict[str, Any]:
    """Return the document in a file.  Raises OSError, or ValueError if it has no right seal."""
    with path.open("rb") as file:
        data = file.read(MAX_SIZE + 1)
    document = json.loads(data) if len(data) <= MAX_SIZE else None
    if not isinstance(document, dict):
        raise ValueError(f"{path} is not a document of wort")
    seal = document.pop(SEAL, None)
    if not isinstance(seal, str) or not hmac.compare_digest(seal.encode(), seal_of(document, key, kind).encode()):
        raise ValueError(f"{path} was not written by this home")
    return document


def seal_of(document: Mapping[str, Any], key: bytes, kind: str) -> str:
    """Return the seal of a document in hexadecimal."""
    seal = new_seal(key, kind)
    seal.update(json.dumps(document, sort_keys=True).encode())
    return seal.hexdigest()
