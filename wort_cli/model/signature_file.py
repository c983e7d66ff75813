"""Reads signature files and computes their digest.

The format is sourmash's JSON, version 0.4 (sourmash doc/signature-format, src/core/src/signature.rs), with or without
gzip.  sourmash's md5 of a sketch covers its ksize and hashes, but not its abundances.  The digest covers everything.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.errors import NoSuchFile, NotASignature
from wort_cli.model.profile import TRANSLATED

GZIP_MAGIC = b"\x1f\x8b"
BATCH = 1 << 16
Abundances = NDArray[np.uint64] | NDArray[np.uint32]
PAIR = np.dtype([("hash", "<u8"), ("abundance", "<u8")])


@dataclass(frozen=True, eq=False)
class Sketch:
    """One sketch; `hashes` ascend, and `abundances` has one number per hash, or is None."""

    ksize: int
    seed: int
    max_hash: int
    hashes: NDArray[np.uint64]
    abundances: Abundances | None
    moltype: str = "DNA"
    md5: str = ""
    num: int = 0
    """The number of smallest hashes that a MinHash sketch keeps; 0 for a FracMinHash sketch."""

    @property
    def k(self) -> int:
        """The k that users know, in letters of the molecule; see `k_of`."""
        return k_of(self.ksize, self.moltype)

    @property
    def scaled(self) -> int:
        """The sketch keeps one in `scaled` hashes; 0 if it is not a FracMinHash sketch."""
        return round(2**64 / self.max_hash) if self.max_hash else 0

    def md5sum(self) -> str:
        """Return sourmash's md5: over ksize and hashes as decimal text (sourmash src/core/src/sketch/minhash.rs)."""
        total = hashlib.md5(str(self.ksize).encode(), usedforsecurity=False)
        for start in range(0, len(self.hashes), BATCH):
            total.update("".join(map(str, self.hashes[start : start + BATCH].tolist())).encode())
        return total.hexdigest()


@dataclass(frozen=True)
class SignatureDocument:
    """The content of a signature file."""

    name: str
    filename: str
    sketches: tuple[Sketch, ...]

    @property
    def digest(self) -> str:
        """The digest of all sketches, in hexadecimal."""
        return digest(self.sketches)


def digest(sketches: Iterable[Sketch]) -> str:
    """Return the sha256 over the canonical content of sketches, sorted by moltype, ksize, seed and max_hash.

    Each sketch contributes the line `DNA k=21 seed=42 max_hash=18446744073709552 n=NUMBER` with a line feed, and then
    16 bytes per hash, ascending: the hash and its abundance (0 in a sketch without abundances), both as little-endian
    unsigned 64-bit integers.
    """
    total = hashlib.sha256()
    for sketch in sorted(sketches, key=lambda s: (s.moltype, s.ksize, s.seed, s.max_hash)):
        parameters = f"{sketch.moltype} k={sketch.ksize} seed={sketch.seed} max_hash={sketch.max_hash}"
        total.update(f"{parameters} n={len(sketch.hashes)}\n".encode("ascii"))
        for start in range(0, len(sketch.hashes), BATCH):
            part = slice(start, start + BATCH)
            pairs = np.empty(len(sketch.hashes[part]), PAIR)
            pairs["hash"] = sketch.hashes[part]
            pairs["abundance"] = 0 if sketch.abundances is None else sketch.abundances[part]
            total.update(pairs.data)
    return total.hexdigest()


def read_signature(path: Path) -> SignatureDocument:
    """Return the signature in a file.

    Raises NoSuchFile if the file cannot be opened, and NotASignature, with the first error that was found, if it does
    not contain exactly one signature.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NoSuchFile(path, error.strerror or str(error)) from None
    try:
        return parse_signature(gzip.decompress(data) if data.startswith(GZIP_MAGIC) else data)
    except (EOFError, OSError, zlib.error) as error:
        raise NotASignature(path, f"its gzip is damaged: {error}") from None
    except RecursionError:
        raise NotASignature(path, "it is nested too deeply") from None
    except KeyError as error:
        raise NotASignature(path, f"it has no {error}") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise NotASignature(path, str(error)[:200]) from None


def parse_signature(text: bytes) -> SignatureDocument:
    """Return the signature in a JSON text.  Raises ValueError, KeyError, TypeError or OverflowError if invalid."""
    signatures = json.loads(text)
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise ValueError("it is not a list of one signature")
    signature = signatures[0]
    if not isinstance(signature.get("signatures"), list):
        raise ValueError("it has no list of sketches")
    if signature.get("class") != "sourmash_signature":
        raise ValueError("its class is not sourmash_signature")
    sketches = tuple(parse_sketch(sketch) for sketch in signature["signatures"])
    if not sketches:
        raise ValueError("it has no sketches")
    return SignatureDocument(str(signature.get("name") or ""), str(signature.get("filename") or ""), sketches)


def parse_sketch(data: dict[str, Any]) -> Sketch:
    """Return the sketch that a JSON object describes.  Raises the same errors as `parse_signature`."""
    if not isinstance(data, dict):
        raise ValueError("a sketch is not an object")
    ksize, seed, max_hash = numbers([data["ksize"], data["seed"], data["max_hash"]], "a parameter").tolist()
    hashes = numbers(data["mins"], f"a hash of k={ksize}")
    abundances = None if data.get("abundances") is None else numbers(data["abundances"], f"an abundance of k={ksize}")
    if abundances is not None and len(abundances) != len(hashes):
        raise ValueError(f"k={ksize} has {len(hashes)} hashes and {len(abundances)} abundances")
    if np.any(hashes[1:] <= hashes[:-1]):
        raise ValueError(f"the hashes of k={ksize} do not ascend")
    return Sketch(
        ksize=ksize,
        seed=seed,
        max_hash=max_hash,
        hashes=hashes,
        abundances=abundances,
        moltype=molecule_of(str(data["molecule"])),
        md5=str(data["md5sum"]),
        num=int(numbers([data.get("num", 0)], "num")[0]),
    )


def k_of(ksize: int, molecule: str) -> int:
    """Return the k of a sketch in letters; for amino acids, sourmash stores three times that (minhash.py)."""
    return ksize // 3 if molecule in TRANSLATED else ksize


def molecule_of(text: str) -> str:
    """Return the molecule type in its current spelling; older versions of sourmash 4 write `dna`."""
    return "DNA" if text == "dna" else text


def numbers(values: Any, what: str) -> NDArray[np.uint64]:
    """Return a list of unsigned 64-bit integers as an array.  Raises ValueError or OverflowError for anything else.

    numpy alone would convert text and booleans to numbers, and truncate 1.5 to 1.
    """
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        raise ValueError(f"{what} is not an integer")
    return np.array(values, dtype=np.uint64)
