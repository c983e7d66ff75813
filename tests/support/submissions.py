"""Signatures to submit: valid ones, and a corpus of hostile ones, each derived from a valid one by a rule.

`python -m tests.support.submissions DIRECTORY` writes the corpus as files.  sourmash's own parser, or a person, might
take any of them for a signature.
"""

from __future__ import annotations

import bz2
import copy
import gzip
import hashlib
import io
import json
import lzma
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

MAX_HASH = 18446744073709552
"""Of scaled=1000."""
KSIZES = (21, 31, 51)

Document = Any
Make = Callable[[], bytes]


def md5_of(ksize: int, hashes: list[int]) -> str:
    """sourmash's md5 of a sketch."""
    return hashlib.md5("".join(map(str, [ksize, *hashes])).encode()).hexdigest()


def sketch(ksize: int, hashes: list[int], abundances: list[int] | None = None, **changes: Any) -> dict[str, Any]:
    """A sketch as sourmash writes it; its keys in that order."""
    made: dict[str, Any] = {
        "num": 0, "ksize": ksize, "seed": 42, "max_hash": MAX_HASH, "mins": hashes, "md5sum": md5_of(ksize, hashes),
        "abundances": [1] * len(hashes) if abundances is None else abundances, "molecule": "DNA",
    }  # fmt: skip
    return {**made, **changes}


def document(name: str = "SRR000001", hashes: int = 50, seed: int = 1, **changes: Any) -> Document:
    """A proper signature of the profile sra-v1."""
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
    """JSON without blanks, as sourmash writes it."""
    return json.dumps(data, separators=(",", ":")).encode()


def altered(change: Callable[[Document], object]) -> Make:
    """A proper signature after `change`, whose md5s are what they were."""

    def make() -> bytes:
        made = document()
        change(made)
        return text(made)

    return make


def resummed(change: Callable[[Document], object]) -> Make:
    """A proper signature after `change`, with the md5s recomputed: the lie is in the rest."""

    def make() -> bytes:
        made = document()
        change(made)
        for one in made[0]["signatures"]:
            one["md5sum"] = md5_of(one["ksize"], one["mins"])
        return text(made)

    return make


def replaced(old: bytes, new: bytes) -> Make:
    """A proper signature with the first of some bytes replaced."""

    def make() -> bytes:
        assert old in text(document())
        return text(document()).replace(old, new, 1)

    return make


def first(data: Document) -> dict[str, Any]:
    """The first sketch."""
    return data[0]["signatures"][0]  # type: ignore[no-any-return]


def with_first(**changes: Any) -> Callable[[Document], object]:
    return lambda data: first(data).update(changes)


def with_signature(**changes: Any) -> Callable[[Document], object]:
    return lambda data: data[0].update(changes)


def without_first(key: str) -> Callable[[Document], object]:
    return lambda data: first(data).pop(key)


def proper() -> bytes:
    return text(document())


def bomb(head: bytes, block: bytes, times: int) -> bytes:
    """Gzip that unfolds to `head` and then a block so many times; made without unfolding it (RFC 1951, RFC 1952)."""

    def packed(data: bytes) -> bytes:
        deflate = zlib.compressobj(9, wbits=-15)
        return deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH)

    end = zlib.compressobj(9, wbits=-15).flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + packed(head) + packed(block) * times + end + bytes(8)


def growing_bomb(numbers: int) -> bytes:
    """Gzip of ascending hashes without an end in sight: all of it would be right but for its length."""
    head = proper().split(b'"mins":[', 1)[0]
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, compresslevel=1) as file:
        file.write(head + b'"mins":[')
        for start in range(10**15, 10**15 + numbers, 100_000):
            file.write((",".join(map(str, range(start, start + 100_000))) + ",").encode())
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("signatures/x.sig.gz", gzip.compress(proper()))
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("../../x.sig")
        member.size = len(proper())
        archive.addfile(member, io.BytesIO(proper()))
    return out.getvalue()


def damaged_gzip() -> bytes:
    packed = bytearray(gzip.compress(proper(), mtime=0))
    packed[len(packed) // 2] ^= 0x10
    return bytes(packed)


def wrong_checksum() -> bytes:
    packed = bytearray(gzip.compress(proper(), mtime=0))
    packed[-8] ^= 1
    return bytes(packed)


def unsorted(data: Document) -> None:
    mins = first(data)["mins"]
    mins[3], mins[4] = mins[4], mins[3]


def doubled(data: Document) -> None:
    mins = first(data)["mins"]
    mins[4] = mins[3]


def of_scaled(scaled: int, data: Document) -> None:
    for one in data[0]["signatures"]:
        one["max_hash"] = round(2**64 / scaled)
        kept = [(h, a) for h, a in zip(one["mins"], one["abundances"], strict=True) if h <= one["max_hash"]]
        one["mins"], one["abundances"] = [h for h, _ in kept], [a for _, a in kept]


HOSTILE: dict[str, Make] = {
    # ---- not a document at all
    "empty": lambda: b"",
    "blanks": lambda: b" \n\t " * 1000,
    "nul bytes": lambda: bytes(4096),
    "random bytes": lambda: Random(1).randbytes(100_000),
    "text": lambda: b"this is a signature, believe me\n",
    "html": lambda: b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "fasta": lambda: b">SRR000001.1\nACGT\n",
    "fastq": lambda: b"@SRR000001.1\nACGT\n+\nIIII\n",
    "path list": lambda: b"/etc/passwd\n../../../etc/shadow\n",
    "utf-16": lambda: proper().decode().encode("utf-16"),
    "byte order mark": lambda: b"\xef\xbb\xbf" + proper(),
    # ---- cut short, or too long
    "truncated in a list": lambda: proper()[: len(proper()) // 2],
    "truncated at the end": lambda: proper()[:-1],
    "truncated in a text": lambda: proper()[:20],
    "truncated in a key": lambda: proper()[:5],
    "one bracket": lambda: b"[",
    "rubbish behind": lambda: proper() + b"x",
    "a second document behind": lambda: proper() + proper(),
    "nul behind": lambda: proper() + b"\0",
    # ---- packed in a way that is none
    "zip": zipped,
    "bzip2": lambda: bz2.compress(proper()),
    "xz": lambda: lzma.compress(proper()),
    "zlib": lambda: zlib.compress(proper()),
    "tar": tarred,
    "gzip in gzip": lambda: gzip.compress(gzip.compress(proper())),
    "gzip cut short": lambda: gzip.compress(proper())[:-20],
    "gzip without its trailer": lambda: gzip.compress(proper())[:-8],
    "gzip damaged": damaged_gzip,
    "gzip with a wrong checksum": wrong_checksum,
    "gzip of two members": lambda: gzip.compress(proper()) + gzip.compress(proper()),
    "gzip with rubbish behind": lambda: gzip.compress(proper()) + b"rubbish",
    "gzip header alone": lambda: b"\x1f\x8b\x08\x00",
    "gzip of nothing": lambda: gzip.compress(b""),
    # ---- bombs
    "bomb of one number": lambda: bomb(proper().split(b"7", 1)[0] + b"7", b"7" * (1 << 20), 8000),
    "bomb of blanks": lambda: bomb(b"", b" " * (1 << 20), 8000),
    "bomb of ascending hashes": lambda: growing_bomb(5_000_000),
    "bomb of equal hashes": lambda: bomb(proper().split(b'"mins":[', 1)[0] + b'"mins":[', b"1," * (1 << 19), 8000),
    "bomb of a name": lambda: bomb(proper().split(b"SRR", 1)[0], b"A" * (1 << 20), 8000),
    "bomb of rubbish behind": lambda: bomb(proper(), b" " * (1 << 20), 8000),
    "list of commas": replaced(b'"mins":[', b'"mins":[' + b"," * 5_000_000),
    # ---- deep
    "deep lists": lambda: b"[" * 1_000_000 + b"]" * 1_000_000,
    "deep objects": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep in the name": replaced(b'"SRR000001"', b"[" * 100_000 + b"]" * 100_000),
    "deep in a list of hashes": replaced(b'"mins":[', b'"mins":[' + b"[" * 100_000),
    # ---- another shape
    "an object": lambda: text(document()[0]),
    "a number": lambda: b"42",
    "null": lambda: b"null",
    "empty list": lambda: b"[]",
    "empty object": lambda: b"[{}]",
    "list of nothing": lambda: b"[null]",
    "two signatures": lambda: text(document() + document("SRR000002")),
    "three signatures of one sketch": lambda: text([{**document()[0], "signatures": [one]} for one in document()[0]["signatures"]]),  # noqa: E501
    "no sketches": altered(with_signature(signatures=[])),
    "sketches are no list": altered(with_signature(signatures={})),
    "sketch is null": altered(lambda data: data[0]["signatures"].__setitem__(0, None)),
    "one sketch is missing": altered(lambda data: data[0]["signatures"].pop()),
    "a fourth sketch": altered(lambda data: data[0]["signatures"].append(sketch(41, [1, 2, 3]))),
    "the same sketch twice": altered(lambda data: data[0]["signatures"].__setitem__(1, copy.deepcopy(first(data)))),
    "20,000 sketches": altered(lambda data: data[0]["signatures"].extend([first(data)] * 20_000)),
    "an unknown key": altered(with_signature(comment="trust me")),
    "an unknown key in a sketch": altered(with_first(scaled=1000)),
    "a key twice": replaced(b'"name":', b'"name":"SRR000009","name":'),
    "hashes twice": replaced(b'"md5sum":', b'"mins":[1],"md5sum":'),
    "class is missing": altered(lambda data: data[0].pop("class")),
    "another class": altered(with_signature(**{"class": "pickle"})),
    "class is a list": altered(with_signature(**{"class": []})),
    "another hash function": altered(with_signature(hash_function="0.md5")),
    "another licence": altered(with_signature(license="All rights reserved")),
    "another version": altered(with_signature(version=0.3)),
    "version is text": altered(with_signature(version="0.4")),
    # ---- other parameters
    "protein": altered(with_first(molecule="protein")),
    "dayhoff": altered(with_first(molecule="dayhoff")),
    "molecule is null": altered(with_first(molecule=None)),
    "ksize 0": resummed(with_first(ksize=0)),
    "ksize 33": resummed(with_first(ksize=33)),
    "ksize is negative": resummed(with_first(ksize=-21)),
    "ksize is text": altered(with_first(ksize="21")),
    "ksize is a fraction": altered(with_first(ksize=21.0)),
    "ksize is true": altered(with_first(ksize=True)),
    "num with max_hash": altered(with_first(num=500)),
    "huge num": altered(with_first(num=4294967295)),
    "huger num": altered(with_first(num=2**64)),
    "num without max_hash": altered(with_first(num=500, max_hash=0)),
    "another seed": altered(with_first(seed=43)),
    "scaled 2000": resummed(lambda data: of_scaled(2000, data)),
    "scaled 1": altered(with_first(max_hash=2**64 - 1)),
    "max_hash one off": altered(with_first(max_hash=MAX_HASH - 1)),
    "max_hash is missing": altered(without_first("max_hash")),
    # ---- hashes
    "no hashes": resummed(with_first(mins=[], abundances=[])),
    "hashes are missing": altered(without_first("mins")),
    "hashes are null": altered(with_first(mins=None)),
    "hashes are text": altered(with_first(mins="1,2,3")),
    "hashes are an object": altered(with_first(mins={"1": 2})),
    "not sorted": resummed(unsorted),
    "a hash twice": resummed(doubled),
    "descending": resummed(lambda data: first(data)["mins"].reverse()),
    "above max_hash": resummed(lambda data: first(data)["mins"].__setitem__(-1, MAX_HASH + 1)),
    "above 64 bits": resummed(lambda data: first(data)["mins"].__setitem__(-1, 2**64)),
    "of 10,000 digits": replaced(b'"mins":[', b'"mins":[' + b"9" * 10_000 + b","),
    "negative hash": resummed(lambda data: first(data)["mins"].__setitem__(0, -1)),
    "fraction": replaced(b'"mins":[', b'"mins":[0.5,'),
    "exponent": replaced(b'"mins":[', b'"mins":[1e3,'),
    "leading zero": replaced(b'"mins":[', b'"mins":[007,'),
    "NaN": replaced(b'"mins":[', b'"mins":[NaN,'),
    "a blank in a number": replaced(b'"mins":[', b'"mins":[1 2,'),
    "true among the hashes": replaced(b'"mins":[', b'"mins":[true,'),
    "comma at the end": lambda: proper().replace(b'],"md5sum"', b',],"md5sum"', 1),
    "arabic digits": replaced(b'"mins":[', '"mins":[١٢,'.encode()),
    # ---- abundances
    "no abundances": altered(lambda data: [one.pop("abundances") for one in data[0]["signatures"]]),
    "fewer abundances": altered(lambda data: first(data)["abundances"].pop()),
    "more abundances": altered(lambda data: first(data)["abundances"].append(1)),
    "abundance 0": altered(lambda data: first(data)["abundances"].__setitem__(0, 0)),
    "abundance -1": altered(lambda data: first(data)["abundances"].__setitem__(0, -1)),
    "abundances are null": altered(with_first(abundances=None)),
    "abundance above 64 bits": altered(lambda data: first(data)["abundances"].__setitem__(0, 2**64)),
    # ---- lies
    "md5 of another file": altered(with_first(md5sum=md5_of(21, [1, 2, 3]))),
    "md5 of an empty sketch": altered(with_first(md5sum=md5_of(21, []))),
    "md5 is missing": altered(without_first("md5sum")),
    "md5 is a number": altered(with_first(md5sum=0)),
    "a hash changed": altered(lambda data: first(data)["mins"].__setitem__(-1, MAX_HASH)),
    "ksize relabelled": altered(with_first(ksize=31)),
    # ---- names
    "name with terminal escapes": altered(with_signature(name="SRR000001 \x1b[2J\x1b[31mverified")),
    "name with NUL": altered(with_signature(name="SRR000001\0")),
    "name with a line feed": altered(with_signature(name="SRR000001\nSRR000002 verified")),
    "name right to left": altered(with_signature(name="SRR000001 \u202e")),
    "name is a lone surrogate": replaced(b'"SRR000001"', b'"\\ud800"'),
    "name is no utf-8": replaced(b"SRR000001", b"SRR000001 \xff\xfe"),
    "name is a path": altered(with_signature(name="../../../../etc/cron.d/x")),
    "name is absolute": altered(with_signature(name="/etc/passwd")),
    "name is an option": altered(with_signature(name="--help")),
    "name of 10 MB": altered(with_signature(name="SRR000001 " + "x" * 10_000_000)),
    "name of 10 MB of escapes": replaced(b'"SRR000001"', b'"' + b"\\u0041" * 1_700_000 + b'"'),
    "name without an end": lambda: proper().split(b'"SRR')[0] + b'"' + b"A" * 20_000_000,
    "name is a number": altered(with_signature(name=1)),
    "name is a list": altered(with_signature(name=["SRR000001"])),
    "no name": altered(lambda data: data[0].pop("name")),
    "name is almost an accession": altered(with_signature(name="SRR１２３４５６")),
    "filename with escapes": altered(with_signature(filename="\x1b]0;owned\x07")),
    "filename of 10 MB": altered(with_signature(filename="x" * 10_000_000)),
    "filename is a private URL": altered(with_signature(filename="http://127.0.0.1/x.fastq")),
    "filename is a file URL": altered(with_signature(filename="file:///etc/passwd")),
    "email is an object": altered(with_signature(email={})),
}  # fmt: skip


def corpus() -> Iterator[tuple[str, bytes]]:
    """All of it, made one by one."""
    for name, make in HOSTILE.items():
        yield name, make()


def write_corpus(directory: Path) -> list[Path]:
    """The corpus as files; their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, data in corpus():
        path = directory / f"{name.replace(' ', '_')}.sig"
        path.write_bytes(data)
        paths.append(path)
    return paths


if __name__ == "__main__":
    write_corpus(Path(sys.argv[1]))
