"""Damages signatures at random and reads them: `python -m tests.fuzz [SECONDS]`.

Each input must be refused with a message, or be accepted by the lenient reader too, with the same digest.  The first
input that behaves differently is written to a file, and its path is printed.
"""

from __future__ import annotations

import gzip
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.support.hostile_signatures import HOSTILE
from tests.support.submissions import document, text
from wort_cli.model.signature_file import parse_signature
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.strict import check_signature

MAX_SEED = 50_000
"""Bytes.  Larger files of the corpus are not damaged further."""
UNPACKED = 1_000_000
INTERESTING = (
    b'"', b"\\", b"[", b"]", b"{", b"}", b",", b":", b" ", b"\n", b"\0", b"\x1b[2J", b"-", b".", b"e9", b"0", b"null",
    b"true", b"NaN", b"18446744073709551615", b"18446744073709551616", b"\\u0000", b"\\ud800", b'"mins":',
    b'"abundances":[1]', b"\x1f\x8b", b"\xff", b"\xef\xbb\xbf",
)  # fmt: skip


def seeds() -> list[bytes]:
    """Return the signatures to damage."""
    small = [data for name, make in HOSTILE.items() if "bomb" not in name and len(data := make()) < MAX_SEED]
    good = text(document(hashes=5))
    return [good] * len(small) + small + [gzip.compress(good, mtime=0), text(document(hashes=0))]


def damaged(data: bytes, random: Random) -> bytes:
    """Return `data` after a few random changes."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        at = random.randrange(len(changed) + 1)
        end = min(len(changed), at + random.choice((0, 1, 1, 2, 5, 20, 100)))
        kind = random.randrange(5)
        if kind == 0:
            changed[at:end] = random.choice(INTERESTING)
        elif kind == 1:
            changed[at:at] = random.choice(INTERESTING)
        elif kind == 2:
            del changed[at:end]
        elif kind == 3 and at < len(changed):
            changed[at] ^= 1 << random.randrange(8)
        else:
            elsewhere = random.randrange(len(changed) + 1)
            changed[elsewhere:elsewhere] = changed[at:end]
    return bytes(changed)


def read(data: bytes) -> str:
    """Return `refused` or `accepted`; raise AssertionError if the strict and the lenient reader disagree."""
    try:
        found = check_signature(io.BytesIO(data), max_unpacked=UNPACKED)
    except Refusal as refusal:
        assert refusal.why
        assert len(refusal.why) < 500
        assert refusal.why.isprintable(), ascii(refusal.why)
        return "refused"
    whole = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    lenient = parse_signature(whole)
    assert lenient.digest == found.document.digest
    assert lenient.name == found.document.name
    return "accepted"


def main(seconds: float, write: Callable[[str], object]) -> int:
    """Read damaged signatures for some time; return 1 if a fault was found."""
    random, known, counts = Random(), seeds(), {"refused": 0, "accepted": 0}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = damaged(random.choice(known), random)
        try:
            counts[read(data)] += 1
        except BaseException as error:
            path = Path("fuzz-finding.sig").absolute()
            path.write_bytes(data)
            write(f"{path}: {type(error).__name__}: {error}\n")
            return 1
    write(f"{counts['refused']:,} refused, {counts['accepted']:,} accepted, in {seconds:g} seconds; nothing found\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0, sys.stdout.write))
