"""Compares what fastq-dump and the in-process decoder make of an archive."""

import contextlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.differential.fastq_dump import Dumped, DumpFailed, dump, filling
from tests.differential.in_process import Declined, Decoded, Question
from tests.support.child import Child, ChildDied
from wort_cli.pipeline.archives.counts import tables_of
from wort_cli.pipeline.sketching.slices import Slice

TIMEOUT = 60.0
"""Seconds for the in-process decoder, or for vdb-dump."""
FILLS = (0, 0x55, 0xAA)
"""Bytes that new memory is filled with, to see whether the library reads memory that it did not write."""
SAME, DECLINED, BOTH_FAIL, UNDEFINED = "same", "declined", "both fail", "undefined"
DIFFERENT, DECODED_ALONE, DIED = "different", "decoded alone", "died"
DEFECTS = (DIFFERENT, DECODED_ALONE, DIED)


@dataclass(frozen=True)
class Verdict:
    """The verdict on a case, and why."""

    end: str
    detail: str = ""


def judge(archive: Path, rows: int, child: Child, rng: Random) -> Verdict:
    """Decode an archive with `rows` spots in both ways, whole and a slice of it, and compare."""
    dumped = dump(archive)
    spots = dumped.read if isinstance(dumped, Dumped) else rows
    if isinstance(dumped, Dumped) and (counted := spots_in_metadata(archive)) not in (None, spots):
        return Verdict(DIFFERENT, f"{spots} spots are dumped, the metadata has {counted}")
    parts = [Slice(1, spots)] if spots else []
    if spots > 2:
        parts.append(draw_slice(rng, spots))
    question = Question(archive, spots, tuple(parts))
    try:
        decoded = child.ask(question, TIMEOUT) if parts else Declined("no spots")
    except ChildDied as died:
        if isinstance(dumped, DumpFailed) and dumped.crashed:
            return Verdict(BOTH_FAIL, f"both crash: {died.how}")
        return Verdict(DIED, died.how)
    if isinstance(decoded, Declined):
        if isinstance(dumped, DumpFailed):
            return Verdict(BOTH_FAIL, dumped.message)
        return Verdict(DECLINED, decoded.reason)
    return compare(question, dumped, decoded, child)


def spots_in_metadata(archive: Path) -> int | None:
    """Return the number of spots that a job expects, None if it asks sra-stat."""
    tables = tables_of(archive)
    return tables.dumped.spots if tables and tables.are_plain and tables.dumped else None


def compare(question: Question, dumped: Dumped | DumpFailed, decoded: list[Decoded], child: Child) -> Verdict:
    """Return the verdict for an archive that the in-process decoder has decoded in a child."""
    if isinstance(dumped, DumpFailed):
        again = dump(question.path, program="fastq-dump")
        if isinstance(again, Dumped):
            return Verdict(UNDEFINED, "fastq-dump fails sometimes")
        return Verdict(DECODED_ALONE, f"fastq-dump fails: {dumped.message.rpartition(' err: ')[2]}")
    for part, got in zip(question.parts, decoded, strict=True):
        expected = dumped.part(part)
        if got != expected:
            if why := why_undefined(question, dumped, child):
                return Verdict(UNDEFINED, why)
            return Verdict(DIFFERENT, f"spots {part.first} to {part.last}: {difference(expected, got)}")
    return Verdict(SAME)


def why_undefined(question: Question, dumped: Dumped, child: Child) -> str:
    """Return how it shows that the library reads memory that it did not write; '' if it does not show."""
    archive = question.path
    if any(dump(archive, program="fastq-dump", fill=fill) != dumped for fill in FILLS):
        return "fastq-dump writes other reads each time"
    if len({cells(archive, fill) for fill in FILLS}) > 1:
        return "vdb-dump writes other cells each time"
    with child.another() as other, contextlib.suppress(ChildDied):
        if other.ask(question, TIMEOUT) == [dumped.part(part) for part in question.parts]:
            return "a process that read no other archive before decodes it as fastq-dump"
    return ""


def cells(archive: Path, fill: int) -> bytes:
    """Return some columns as vdb-dump prints them; memory that the library does not initialize has the byte `fill`."""
    argv = [
        "vdb-dump",
        "-f",
        "tab",
        "-C",
        "READ_LEN,READ_START,READ_TYPE,READ_FILTER,TRIM_START,TRIM_LEN,READ",
        str(archive),
    ]
    return subprocess.run(argv, capture_output=True, check=False, timeout=TIMEOUT, env=filling(fill)).stdout


def difference(expected: Decoded, got: Decoded) -> str:
    """Describe the first difference."""
    for name in ("text", "read", "spots", "reads", "bases", "longest"):
        one, other = getattr(expected, name), getattr(got, name)
        if one == other:
            continue
        if not isinstance(one, bytes):
            return f"{name} {one} of fastq-dump, {other} in process"
        at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        first = max(0, at - 10)
        return (
            f"text of {len(one)} and {len(other)} bytes, from byte {at} "
            f"{one[first : at + 30]!r} of fastq-dump, {other[first : at + 30]!r} in process"
        )
    return "none"


def draw_slice(rng: Random, spots: int) -> Slice:
    """Return a slice of an archive."""
    first = rng.randint(1, spots)
    return Slice(first, rng.randint(first, spots))


def generalized(reason: str) -> str:
    """Return a reason without numbers and paths, to count it."""
    return re.sub(r"/\S+", "*", re.sub(r"\d+", "#", reason.rpartition(" err: ")[2]))[:110]
