"""Compares what fastq-dump and the in-process decoder make of an archive."""

import contextlib
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.differential.fastq_dump import Dumped, DumpFailed, dump, filling
from tests.differential.in_process import Declined, Decoded, Question
from tests.support.child import Child, ChildDied
from wort_cli.pipeline.archives.counts import CONSENSUS, tables_of
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.toolkit.tool_errors import is_crash

TIMEOUT = 60.0
"""Seconds for the in-process decoder, or for vdb-dump."""
FILLS = (0, 0x55, 0xAA)
"""Bytes that new memory is filled with, to see whether the library reads memory that it did not write."""
COLUMNS = ("READ_LEN", "READ_START", "READ_TYPE", "READ_FILTER", "TRIM_START", "TRIM_LEN", "READ")
"""The columns whose cells are printed to find out whether they are defined."""
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
        if why := why_undefined_failure(question, dumped):
            return Verdict(UNDEFINED, why)
        return Verdict(DECODED_ALONE, f"fastq-dump fails: {dumped.message.rpartition(' err: ')[2]}")
    for part, got in zip(question.parts, decoded, strict=True):
        expected = dumped.part(part)
        if got != expected:
            if why := why_undefined(question, dumped, child):
                return Verdict(UNDEFINED, why)
            return Verdict(DIFFERENT, f"spots {part.first} to {part.last}: {difference(expected, got)}")
    return Verdict(SAME)


def why_undefined_failure(question: Question, dumped: DumpFailed) -> str:
    """Return how it shows that fastq-dump fails by what is in its memory; '' if it does not show."""
    if isinstance(dump(question.path, program="fastq-dump"), Dumped):
        return "fastq-dump fails sometimes"
    printing = print_cells(question.path, COLUMNS, FILLS[0])
    if dumped.crashed and is_crash(printing.returncode, printing.stderr.decode(errors="replace")):
        return "fastq-dump and vdb-dump crash"
    return ""


def why_undefined(question: Question, dumped: Dumped, child: Child) -> str:
    """Return how it shows that the library reads memory that it did not write; '' if it does not show."""
    archive = question.path
    if any(dump(archive, program="fastq-dump", fill=fill) != dumped for fill in FILLS):
        return "fastq-dump writes other reads each time"
    printed = cells(archive, FILLS[0])
    if any(cells(archive, fill) != printed for fill in FILLS[1:]):
        return "vdb-dump writes other cells each time"
    if cells(archive, FILLS[0], reverse=True) != printed:
        return "vdb-dump writes other cells if it reads the columns in another order"
    with child.another() as other, contextlib.suppress(ChildDied):
        if other.ask(question, TIMEOUT) == [dumped.part(part) for part in question.parts]:
            return "a process that read no other archive before decodes it as fastq-dump"
    return ""


def cells(archive: Path, fill: int, *, reverse: bool = False) -> list[list[bytes]]:
    """Return the cells of some columns as vdb-dump prints them, a list for each spot.

    Memory that the library does not initialize has the byte `fill`, or what it had when another column was read before:
    with `reverse`, the columns are read in reverse order.
    """
    done = print_cells(archive, COLUMNS[::-1] if reverse else COLUMNS, fill)
    rows = [line.split(b"\t") for line in done.stdout.splitlines()]
    return [row[::-1] for row in rows] if reverse else rows


def print_cells(archive: Path, columns: Sequence[str], fill: int) -> subprocess.CompletedProcess[bytes]:
    """Run vdb-dump on columns of the table that fastq-dump dumps."""
    tables = tables_of(archive)
    table = ("-T", CONSENSUS) if tables and tables.has_consensus else ()
    argv = ["vdb-dump", *table, "-f", "tab", "-C", ",".join(columns), str(archive)]
    return subprocess.run(argv, capture_output=True, check=False, timeout=TIMEOUT, env=filling(fill))


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
