"""Damages signatures at random and has them read: `python -m tests.fuzz [SECONDS]`.

Whatever is read is refused with a sentence, or is a signature by the lenient reader too, with the same digest.  Nothing
else may happen; the first input that does otherwise is written to a file, and its name is said.
"""

from __future__ import annotations

import gzip
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.support.submissions import HOSTILE, document, text
from wort_cli.model.signature_file import parse_signature
from wort_cli.submission.refusal import Refusal
from wort_cli.submission.strict import check_signature

LARGEST_SEED = 50_000
"""Bytes: of the corpus, the small ones are damaged further."""
UNPACKED = 1_000_000
INTERESTING = (
    b'"', b"\\", b"[", b"]", b"{", b"}", b",", b":", b" ", b"\n", b"\0", b"\x1b[2J", b"-", b".", b"e9", b"0", b"null",
    b"true", b"NaN", b"18446744073709551615", b"18446744073709551616", b"\\u0000", b"\\ud800", b'"mins":',
    b'"abundances":[1]', b"\x1f\x8b", b"\xff", b"\xef\xbb\xbf",
)  # fmt: skip


def seeds() -> list[bytes]:
    """What the damage is done to."""
    small = [data for name, make in HOSTILE.items() if "bomb" not in name and len(data := make()) < LARGEST_SEED]
    good = text(document(hashes=5))
    return [good] * len(small) + small + [gzip.compress(good, mtime=0), text(document(hashes=0))]


def damaged(data: bytes, random: Random) -> bytes:
    """`data` after a few changes."""
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
    """`refused` or `accepted`; AssertionError if it was accepted and is none."""
    try:
        found = check_signature(io.BytesIO(data), unpacked=UNPACKED)
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


def main(seconds: float, say: Callable[[str], object]) -> int:
    """Go on for some time; 1 if something was found."""
    random, known, counts = Random(), seeds(), {"refused": 0, "accepted": 0}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = damaged(random.choice(known), random)
        try:
            counts[read(data)] += 1
        except BaseException as error:
            path = Path("fuzz-finding.sig").absolute()
            path.write_bytes(data)
            say(f"{path}: {type(error).__name__}: {error}\n")
            return 1
    say(f"{counts['refused']:,} refused, {counts['accepted']:,} accepted, in {seconds:g} seconds; nothing found\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0, sys.stdout.write))
