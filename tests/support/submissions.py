"""Builds valid signatures to submit, as JSON documents and as bytes."""

from __future__ import annotations

import hashlib
import json
from random import Random
from typing import Any

MAX_HASH = 18446744073709552
"""The max_hash of scaled=1000."""
KSIZES = (21, 31, 51)

Document = Any


def md5_of(ksize: int, hashes: list[int]) -> str:
    """Return sourmash's md5 of a sketch."""
    return hashlib.md5("".join(map(str, [ksize, *hashes])).encode()).hexdigest()


def sketch(ksize: int, hashes: list[int], abundances: list[int] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a sketch with the keys in the order in which sourmash writes them."""
    original: dict[str, Any] = {
        "num": 0, "ksize": ksize, "seed": 42, "max_hash": MAX_HASH, "mins": hashes, "md5sum": md5_of(ksize, hashes),
        "abundances": [1] * len(hashes) if abundances is None else abundances, "molecule": "DNA",
    }  # fmt: skip
    return {**original, **changes}


def document(name: str = "SRR000001", hashes: int = 50, seed: int = 1, **changes: Any) -> Document:
    """Return a valid signature of the profile sra-v1, with random hashes."""
    rng = Random(seed)
    sketches = []
    for ksize in KSIZES:
        mins = sorted(rng.sample(range(1, MAX_HASH), hashes))
        sketches.append(sketch(ksize, mins, [rng.randint(1, 30) for _ in mins]))
    signature: dict[str, Any] = {
        "class": "sourmash_signature", "email": "", "hash_function": "0.murmur64", "filename": "", "name": name,
        "license": "CC0", "signatures": sketches, "version": 0.4,
    }  # fmt: skip
    return [{**signature, **changes}]


def text(data: Document) -> bytes:
    """Return JSON without blanks, as sourmash writes it."""
    return json.dumps(data, separators=(",", ":")).encode()


def first(data: Document) -> dict[str, Any]:
    """Return the first sketch."""
    return data[0]["signatures"][0]  # type: ignore[no-any-return]


def valid_signature() -> bytes:
    """Return the bytes of a valid signature of SRR000001."""
    return text(document())
