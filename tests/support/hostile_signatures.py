"""A corpus of hostile files to submit, each derived from a valid signature by a rule.

sourmash's own parser, or a person, might take any of them for a signature.  `python -m tests.support.hostile_signatures
DIRECTORY` writes them as files.
"""

from __future__ import annotations

import bz2
import copy
import gzip
import io
import lzma
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.support.submissions import KSIZES, MAX_HASH, Document, document, first, md5_of, sketch, text, valid_signature

Make = Callable[[], bytes]


def with_old_md5s(change: Callable[[Document], object]) -> Make:
    """Return a maker of a changed signature that keeps the original md5s."""

    def make() -> bytes:
        changed = document()
        change(changed)
        return text(changed)

    return make


def with_new_md5s(change: Callable[[Document], object]) -> Make:
    """Return a maker of a changed signature with recomputed md5s, so that only the other fault shows."""

    def make() -> bytes:
        changed = document()
        change(changed)
        for one in changed[0]["signatures"]:
            one["md5sum"] = md5_of(one["ksize"], one["mins"])
        return text(changed)

    return make


def with_replaced(old: bytes, new: bytes) -> Make:
    """Return a maker of a signature in which the first occurrence of `old` is replaced."""

    def make() -> bytes:
        assert old in text(document())
        return text(document()).replace(old, new, 1)

    return make


def with_first(**changes: Any) -> Callable[[Document], object]:
    """Return a change of the first sketch's values."""
    return lambda data: first(data).update(changes)


def with_signature(**changes: Any) -> Callable[[Document], object]:
    """Return a change of the signature's values."""
    return lambda data: data[0].update(changes)


def without_first(key: str) -> Callable[[Document], object]:
    """Return a change that removes a key of the first sketch."""
    return lambda data: first(data).pop(key)


def bomb(head: bytes, block: bytes, times: int) -> bytes:
    """Return gzip data of `head` and many blocks, without compressing each of them (RFC 1951, RFC 1952)."""

    def compress(data: bytes) -> bytes:
        deflate = zlib.compressobj(9, wbits=-15)
        return deflate.compress(data) + deflate.flush(zlib.Z_FULL_FLUSH)

    end = zlib.compressobj(9, wbits=-15).flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + compress(head) + compress(block) * times + end + bytes(8)


def growing_bomb(numbers: int) -> bytes:
    """Return gzip data of a signature that is valid except for its huge number of hashes."""
    head = valid_signature().split(b'"mins":[', 1)[0]
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0, compresslevel=1) as file:
        file.write(head + b'"mins":[')
        for start in range(10**15, 10**15 + numbers, 100_000):
            file.write((",".join(map(str, range(start, start + 100_000))) + ",").encode())
    return out.getvalue()


def zip_of(*members: tuple[str, bytes]) -> bytes:
    """Return a zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def zip_bomb() -> bytes:
    """Return a zip file of a bomb that is compressed twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("signatures/x.sig.gz", bomb(b'[{"name":"', b"a" * (1 << 20), 6000))
    return out.getvalue()


def damaged_zip() -> bytes:
    """Return a zip file with a flipped bit in its content."""
    packed = bytearray(zip_of(("signatures/x.sig", valid_signature())))
    packed[len(packed) // 2] ^= 0x10
    return bytes(packed)


def tar_archive() -> bytes:
    """Return a tar archive with a path outside of its directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("../../x.sig")
        member.size = len(valid_signature())
        archive.addfile(member, io.BytesIO(valid_signature()))
    return out.getvalue()


def damaged_gzip() -> bytes:
    """Return gzip data with one flipped bit."""
    packed = bytearray(gzip.compress(valid_signature(), mtime=0))
    packed[len(packed) // 2] ^= 0x10
    return bytes(packed)


def wrong_checksum() -> bytes:
    """Return gzip data with a wrong CRC."""
    packed = bytearray(gzip.compress(valid_signature(), mtime=0))
    packed[-8] ^= 1
    return bytes(packed)


def swap_two_hashes(data: Document) -> None:
    """Make the hashes of the first sketch descend once."""
    mins = first(data)["mins"]
    mins[3], mins[4] = mins[4], mins[3]


def repeat_a_hash(data: Document) -> None:
    """Make two hashes of the first sketch equal."""
    mins = first(data)["mins"]
    mins[4] = mins[3]


def downsample(scaled: int, data: Document) -> None:
    """Give every sketch another scaled."""
    for one in data[0]["signatures"]:
        one["max_hash"] = round(2**64 / scaled)
        kept = [(h, a) for h, a in zip(one["mins"], one["abundances"], strict=True) if h <= one["max_hash"]]
        one["mins"], one["abundances"] = [h for h, _ in kept], [a for _, a in kept]


HOSTILE: dict[str, Make] = {
    # ---- not JSON
    "empty": lambda: b"",
    "blanks": lambda: b" \n\t " * 1000,
    "nul bytes": lambda: bytes(4096),
    "random bytes": lambda: Random(1).randbytes(100_000),
    "text": lambda: b"this is a signature, believe me\n",
    "html": lambda: b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "fasta": lambda: b">SRR000001.1\nACGT\n",
    "fastq": lambda: b"@SRR000001.1\nACGT\n+\nIIII\n",
    "path list": lambda: b"/etc/passwd\n../../../etc/shadow\n",
    "utf-16": lambda: valid_signature().decode().encode("utf-16"),
    "byte order mark": lambda: b"\xef\xbb\xbf" + valid_signature(),
    # ---- cut short, or too long
    "truncated in a list": lambda: valid_signature()[: len(valid_signature()) // 2],
    "truncated at the end": lambda: valid_signature()[:-1],
    "truncated in a text": lambda: valid_signature()[:20],
    "truncated in a key": lambda: valid_signature()[:5],
    "one bracket": lambda: b"[",
    "trailing garbage": lambda: valid_signature() + b"x",
    "a second document": lambda: valid_signature() + valid_signature(),
    "trailing NUL": lambda: valid_signature() + b"\0",
    # ---- compressed or archived
    "zip without signatures": lambda: zip_of(("x.sig", valid_signature())),
    "zip of two runs": lambda: zip_of(
        ("signatures/x.sig", valid_signature()), ("signatures/y.sig", text(document("SRR000002")))
    ),
    "zip of many files": lambda: zip_of(*((f"signatures/{n}.sig", b"[]") for n in range(101))),
    "zip bomb": zip_bomb,
    "damaged zip": damaged_zip,
    "truncated zip": lambda: zip_of(("signatures/x.sig", valid_signature()))[:-30],
    "zip in a zip": lambda: zip_of(("signatures/x.sig", zip_of(("signatures/x.sig", valid_signature())))),
    "bzip2": lambda: bz2.compress(valid_signature()),
    "xz": lambda: lzma.compress(valid_signature()),
    "zlib": lambda: zlib.compress(valid_signature()),
    "tar": tar_archive,
    "gzip in gzip": lambda: gzip.compress(gzip.compress(valid_signature())),
    "truncated gzip": lambda: gzip.compress(valid_signature())[:-20],
    "gzip without its trailer": lambda: gzip.compress(valid_signature())[:-8],
    "damaged gzip": damaged_gzip,
    "gzip with a wrong checksum": wrong_checksum,
    "gzip of two members": lambda: gzip.compress(valid_signature()) + gzip.compress(valid_signature()),
    "gzip with trailing garbage": lambda: gzip.compress(valid_signature()) + b"garbage",
    "gzip header alone": lambda: b"\x1f\x8b\x08\x00",
    "gzip of nothing": lambda: gzip.compress(b""),
    # ---- bombs
    "bomb of one number": lambda: bomb(valid_signature().split(b"7", 1)[0] + b"7", b"7" * (1 << 20), 8000),
    "bomb of blanks": lambda: bomb(b"", b" " * (1 << 20), 8000),
    "bomb of ascending hashes": lambda: growing_bomb(5_000_000),
    "bomb of equal hashes": lambda: bomb(
        valid_signature().split(b'"mins":[', 1)[0] + b'"mins":[', b"1," * (1 << 19), 8000
    ),
    "bomb of a name": lambda: bomb(valid_signature().split(b"SRR", 1)[0], b"A" * (1 << 20), 8000),
    "bomb of trailing blanks": lambda: bomb(valid_signature(), b" " * (1 << 20), 8000),
    "list of commas": with_replaced(b'"mins":[', b'"mins":[' + b"," * 5_000_000),
    # ---- deeply nested
    "deep lists": lambda: b"[" * 1_000_000 + b"]" * 1_000_000,
    "deep objects": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep in the name": with_replaced(b'"SRR000001"', b"[" * 100_000 + b"]" * 100_000),
    "deep in a list of hashes": with_replaced(b'"mins":[', b'"mins":[' + b"[" * 100_000),
    # ---- another shape
    "an object": lambda: text(document()[0]),
    "a number": lambda: b"42",
    "null": lambda: b"null",
    "empty list": lambda: b"[]",
    "empty object": lambda: b"[{}]",
    "list of nothing": lambda: b"[null]",
    "two signatures": lambda: text(document() + document("SRR000002")),
    "two of three sketches": lambda: text([{**document()[0], "signatures": [one]} for one in document()[0]["signatures"][:2]]),  # noqa: E501
    "no sketches": with_old_md5s(with_signature(signatures=[])),
    "sketches are not a list": with_old_md5s(with_signature(signatures={})),
    "sketch is null": with_old_md5s(lambda data: data[0]["signatures"].__setitem__(0, None)),
    "one sketch is missing": with_old_md5s(lambda data: data[0]["signatures"].pop()),
    "a fourth sketch": with_old_md5s(lambda data: data[0]["signatures"].append(sketch(41, [1, 2, 3]))),
    "the same sketch twice": with_old_md5s(
        lambda data: data[0]["signatures"].__setitem__(1, copy.deepcopy(first(data)))
    ),
    "20,000 sketches": with_old_md5s(lambda data: data[0]["signatures"].extend([first(data)] * 20_000)),
    "an unknown key": with_old_md5s(with_signature(comment="trust me")),
    "an unknown key in a sketch": with_old_md5s(with_first(scaled=1000)),
    "a key twice": with_replaced(b'"name":', b'"name":"SRR000009","name":'),
    "hashes twice": with_replaced(b'"md5sum":', b'"mins":[1],"md5sum":'),
    "class is missing": with_old_md5s(lambda data: data[0].pop("class")),
    "another class": with_old_md5s(with_signature(**{"class": "pickle"})),
    "class is a list": with_old_md5s(with_signature(**{"class": []})),
    "another hash function": with_old_md5s(with_signature(hash_function="0.md5")),
    "another licence": with_old_md5s(with_signature(license="All rights reserved")),
    "another version": with_old_md5s(with_signature(version=0.3)),
    "version is text": with_old_md5s(with_signature(version="0.4")),
    # ---- other parameters
    "protein": with_old_md5s(with_first(molecule="protein")),
    "dayhoff": with_old_md5s(with_first(molecule="dayhoff")),
    "molecule is null": with_old_md5s(with_first(molecule=None)),
    "ksize 0": with_new_md5s(with_first(ksize=0)),
    "ksize 33": with_new_md5s(with_first(ksize=33)),
    "ksize is negative": with_new_md5s(with_first(ksize=-21)),
    "ksize is text": with_old_md5s(with_first(ksize="21")),
    "ksize is a fraction": with_old_md5s(with_first(ksize=21.0)),
    "ksize is true": with_old_md5s(with_first(ksize=True)),
    "num with max_hash": with_old_md5s(with_first(num=500)),
    "huge num": with_old_md5s(with_first(num=4294967295)),
    "huger num": with_old_md5s(with_first(num=2**64)),
    "num without max_hash": with_old_md5s(with_first(num=500, max_hash=0)),
    "another seed": with_old_md5s(with_first(seed=43)),
    "scaled 2000": with_new_md5s(lambda data: downsample(2000, data)),
    "scaled 1": with_old_md5s(with_first(max_hash=2**64 - 1)),
    "max_hash one off": with_old_md5s(with_first(max_hash=MAX_HASH - 1)),
    "max_hash is missing": with_old_md5s(without_first("max_hash")),
    # ---- hashes
    "no hashes": lambda: text([{**document()[0], "signatures": [sketch(k, []) for k in KSIZES]}]),
    "hashes are missing": with_old_md5s(without_first("mins")),
    "hashes are null": with_old_md5s(with_first(mins=None)),
    "hashes are text": with_old_md5s(with_first(mins="1,2,3")),
    "hashes are an object": with_old_md5s(with_first(mins={"1": 2})),
    "not sorted": with_new_md5s(swap_two_hashes),
    "a hash twice": with_new_md5s(repeat_a_hash),
    "descending": with_new_md5s(lambda data: first(data)["mins"].reverse()),
    "above max_hash": with_new_md5s(lambda data: first(data)["mins"].__setitem__(-1, MAX_HASH + 1)),
    "above 64 bits": with_new_md5s(lambda data: first(data)["mins"].__setitem__(-1, 2**64)),
    "a hash of 10,000 digits": with_replaced(b'"mins":[', b'"mins":[' + b"9" * 10_000 + b","),
    "negative hash": with_new_md5s(lambda data: first(data)["mins"].__setitem__(0, -1)),
    "fraction": with_replaced(b'"mins":[', b'"mins":[0.5,'),
    "exponent": with_replaced(b'"mins":[', b'"mins":[1e3,'),
    "leading zero": with_replaced(b'"mins":[', b'"mins":[007,'),
    "NaN": with_replaced(b'"mins":[', b'"mins":[NaN,'),
    "a blank in a number": with_replaced(b'"mins":[', b'"mins":[1 2,'),
    "true among the hashes": with_replaced(b'"mins":[', b'"mins":[true,'),
    "comma at the end": lambda: valid_signature().replace(b'],"md5sum"', b',],"md5sum"', 1),
    "arabic digits": with_replaced(b'"mins":[', '"mins":[١٢,'.encode()),
    # ---- abundances
    "no abundances": with_old_md5s(lambda data: [one.pop("abundances") for one in data[0]["signatures"]]),
    "fewer abundances": with_old_md5s(lambda data: first(data)["abundances"].pop()),
    "more abundances": with_old_md5s(lambda data: first(data)["abundances"].append(1)),
    "abundance 0": with_old_md5s(lambda data: first(data)["abundances"].__setitem__(0, 0)),
    "abundance -1": with_old_md5s(lambda data: first(data)["abundances"].__setitem__(0, -1)),
    "abundances are null": with_old_md5s(with_first(abundances=None)),
    "abundance above 64 bits": with_old_md5s(lambda data: first(data)["abundances"].__setitem__(0, 2**64)),
    # ---- wrong md5s
    "md5 of another file": with_old_md5s(with_first(md5sum=md5_of(21, [1, 2, 3]))),
    "md5 of an empty sketch": with_old_md5s(with_first(md5sum=md5_of(21, []))),
    "md5 is missing": with_old_md5s(without_first("md5sum")),
    "md5 is a number": with_old_md5s(with_first(md5sum=0)),
    "a hash changed": with_old_md5s(lambda data: first(data)["mins"].__setitem__(-1, MAX_HASH)),
    "ksize relabelled": with_old_md5s(with_first(ksize=31)),
    # ---- names
    "name with terminal escapes": with_old_md5s(with_signature(name="SRR000001 \x1b[2J\x1b[31mverified")),
    "name with NUL": with_old_md5s(with_signature(name="SRR000001\0")),
    "name with a line feed": with_old_md5s(with_signature(name="SRR000001\nSRR000002 verified")),
    "name right to left": with_old_md5s(with_signature(name="SRR000001 \u202e")),
    "name is a lone surrogate": with_replaced(b'"SRR000001"', b'"\\ud800"'),
    "name is not UTF-8": with_replaced(b"SRR000001", b"SRR000001 \xff\xfe"),
    "name is a path": with_old_md5s(with_signature(name="../../../../etc/cron.d/x")),
    "name is absolute": with_old_md5s(with_signature(name="/etc/passwd")),
    "name is an option": with_old_md5s(with_signature(name="--help")),
    "name of 10 MB": with_old_md5s(with_signature(name="SRR000001 " + "x" * 10_000_000)),
    "name of 10 MB of escapes": with_replaced(b'"SRR000001"', b'"' + b"\\u0041" * 1_700_000 + b'"'),
    "name without an end": lambda: valid_signature().split(b'"SRR')[0] + b'"' + b"A" * 20_000_000,
    "name is a number": with_old_md5s(with_signature(name=1)),
    "name is a list": with_old_md5s(with_signature(name=["SRR000001"])),
    "no name": with_old_md5s(lambda data: data[0].pop("name")),
    "name is almost an accession": with_old_md5s(with_signature(name="SRR１２３４５６")),
    "filename with escapes": with_old_md5s(with_signature(filename="\x1b]0;owned\x07")),
    "filename of 10 MB": with_old_md5s(with_signature(filename="x" * 10_000_000)),
    "filename is a private URL": with_old_md5s(with_signature(filename="http://127.0.0.1/x.fastq")),
    "filename is a file URL": with_old_md5s(with_signature(filename="file:///etc/passwd")),
    "email is an object": with_old_md5s(with_signature(email={})),
}  # fmt: skip


def write_corpus(directory: Path) -> list[Path]:
    """Write the corpus as files; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, make in HOSTILE.items():
        path = directory / f"{name.replace(' ', '_')}.sig"
        path.write_bytes(make())
        paths.append(path)
    return paths


if __name__ == "__main__":
    write_corpus(Path(sys.argv[1]))
