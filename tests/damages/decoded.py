"""Damaged archives that are given to the in-process decoder, in a process of its own.

A job gives only proved archives to that decoder.  So that enough of them pass the proof, many damages also correct the
md5 sums: they are what a loader with an error would write.  Whatever passes the proof must be decoded as fastq-dump
does, or be declined; and no archive may hang the decoder.
"""

import hashlib
import posixpath
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.damages.damage import changed_byte
from tests.damages.subjects import PARTS, Subject, subject_at
from tests.damages.verdict import Verdict
from tests.differential.campaign import run_case as run_differential
from tests.differential.cases import draw_case as draw_archive
from tests.differential.fastq_dump import Dumped, DumpFailed, dump
from tests.differential.in_process import Declined, Decoded, Question
from tests.differential.judge import SAME, UNDEFINED, compare
from tests.support.child import Child, ChildDied
from tests.support.kar_files import kar_archive
from wort_cli.pipeline.archives.checksums import ChecksumError, is_sums_file
from wort_cli.pipeline.archives.column_proof import NotProvable, prove_columns
from wort_cli.pipeline.archives.columns import VDB, select
from wort_cli.pipeline.archives.kar import Extent, KarError, read_table
from wort_cli.pipeline.sketching.slices import Slice

TIMEOUT = 60.0
"""Seconds for the decoder."""
BYTES = ("bit", "byte", "bytes", "zeros")
KINDS = (*BYTES, "cut", "columns swapped", "columns exchanged", "file swapped")
MAX_SPOTS = 1000
PER_LAYOUT = 2
"""Archives of a layout that are damaged."""
ENDS = {SAME: Verdict("right", "as fastq-dump"), UNDEFINED: Verdict("undefined", "the library differs each time")}
"""The ends of a case that both decode."""


@dataclass(frozen=True)
class DecodedCase:
    """The damaged part of a case."""

    subject: Subject
    reads: Dumped
    kind: str
    part: str
    is_resealed: bool
    """Whether the md5 sums are corrected."""
    seed: str

    def __str__(self) -> str:
        return f"{self.subject.name}: {self.kind} ({self.part}){', sums corrected' if self.is_resealed else ''}"


@dataclass(frozen=True)
class Decodable:
    """An archive that both decoders decode alike, and its reads."""

    subject: Subject
    reads: Dumped


def decodable_archives(count: int, seed: str, directory: Path, child: Child) -> list[Decodable]:
    """Draw archives of the differential test, of as many layouts as possible."""
    found: list[Decodable] = []
    layouts: dict[str, int] = {}
    number = 0
    while len(found) < count and number < 8 * count:
        case = draw_archive(f"damages {seed}-{number}")
        number += 1
        if layouts.get(case.layout, 0) >= PER_LAYOUT or not 0 < case.rows <= MAX_SPOTS:
            continue
        place = directory / "case"
        place.mkdir()
        archive = directory / f"{case.layout.replace(' ', '-')}-{number}.sra"
        is_same = run_differential(case, place, child).end == SAME
        if is_same:
            (place / "case.sra").rename(archive)
        shutil.rmtree(place)
        if not is_same:
            continue
        layouts[case.layout] = layouts.get(case.layout, 0) + 1
        reads = dump(archive)
        if isinstance(reads, Dumped):
            found.append(Decodable(subject_at(archive), reads))
    return found


def draw_case(subjects: Sequence[Decodable], seed: str) -> DecodedCase:
    """Return the case of a seed."""
    rng = Random(seed)
    chosen, kind = rng.choice(subjects), rng.choices(KINDS, [3, 3, 2, 1, 1, 2, 1, 1])[0]
    resealed = kind in BYTES and rng.random() < 0.6
    return DecodedCase(chosen.subject, chosen.reads, kind, rng.choice(PARTS), resealed, seed)


def damaged(case: DecodedCase, others: Sequence[Decodable]) -> bytes:
    """Return the bytes of the damaged archive."""
    rng = Random(f"{case.seed} bytes")
    data = bytearray(case.subject.data)
    if case.kind in BYTES:
        place = case.subject.place(case.part, rng)
        size = 1 if case.kind in ("bit", "byte") else rng.randint(2, 40)
        for at in range(place, min(place + size, len(data))):
            data[at] = 0 if case.kind == "zeros" else changed_byte(case.kind, data[at], rng)
        return reseal(case.subject, bytes(data)) if case.is_resealed else bytes(data)
    if case.kind == "cut":
        return bytes(data[: rng.randrange(len(data))])
    files = {path: case.subject.data[extent.offset : extent.end] for path, extent in case.subject.table.items()}
    if case.kind == "file swapped":
        one, other = (rng.choice([path for path in files if files[path]]) for _ in range(2))
        files[one], files[other] = files[other], files[one]
    else:
        donor = rng.choice(others).subject if case.kind == "columns exchanged" else case.subject
        swap_columns(files, donor, rng)
    return packed(files)


def swap_columns(files: dict[str, bytes], donor: Subject, rng: Random) -> None:
    """Put a column of another archive, or of the same, in the place of a column, with its sums."""
    columns = columns_of(files)
    theirs = {path: donor.data[extent.offset : extent.end] for path, extent in donor.table.items()}
    if not columns or not columns_of(theirs):
        return
    one = rng.choice(columns)
    same = [column for column in columns_of(theirs) if column == one and donor.table.keys() != files.keys()]
    other = same[0] if same else rng.choice(columns_of(theirs))
    for path in [path for path in files if path.startswith(f"{one}/")]:
        del files[path]
    for path, content in theirs.items():
        if path.startswith(f"{other}/"):
            files[one + path.removeprefix(other)] = content


def columns_of(files: dict[str, bytes]) -> list[str]:
    """Return the directories of the columns of an archive."""
    return sorted({path[: path.index("/", path.index("col/") + 4)] for path in files if "col/" in path})


def packed(files: dict[str, bytes]) -> bytes:
    """Return an archive of some files, in the order of their sizes, as `kar` packs them."""
    tree: dict[str, Any] = {}
    for path, content in sorted(files.items(), key=lambda item: len(item[1])):
        *folders, name = path.split("/")
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
        node[name] = content
    return kar_archive(tree, alignment=4)


def reseal(subject: Subject, data: bytes) -> bytes:
    """Return a damaged archive in which each md5 sum is that of the file that is there."""
    sealed = bytearray(data)
    for path, extent in subject.table.items():
        if not is_sums_file(path):
            continue
        for line in subject.data[extent.offset : extent.end].splitlines():
            target = subject.table.get(posixpath.join(posixpath.dirname(path), line[34:].decode("ascii", "replace")))
            if target is None:
                continue
            now = hashlib.md5(data[target.offset : target.end]).hexdigest().encode()
            at = subject.data.index(line, extent.offset)
            sealed[at : at + 32] = now
    return bytes(sealed)


def is_proved(data: bytes) -> bool:
    """Return whether the archive's own sums prove what the in-process decoder reads."""

    def read(extent: Extent) -> Iterator[bytes]:
        yield data[extent.offset : extent.end]

    try:
        return bool(prove_columns(len(data), read, VDB))
    except (NotProvable, ChecksumError):
        return False


def run_case(case: DecodedCase, others: Sequence[Decodable], directory: Path, child: Child) -> Verdict:
    """Damage the archive, give it to the decoder, and judge what it returns."""
    data = damaged(case, others)
    archive = directory / "case.sra"
    archive.write_bytes(data)
    proved = is_proved(data)
    dumped = dump(archive) if proved else None
    spots = dumped.read if isinstance(dumped, Dumped) and dumped.read else case.reads.read
    undamaged = case.reads.part(Slice(1, case.reads.read))
    verdict = judged(Question(archive, spots, (Slice(1, spots),)), dumped, undamaged, child)
    if verdict.end == "wrong" and proved and needed_files(data) == needed_files(case.subject.data):
        return Verdict("right", "names that only fastq-dump reads")
    return verdict


def needed_files(data: bytes) -> dict[str, bytes]:
    """Return the files of an archive that the in-process decoder reads; none if they cannot be listed."""
    try:
        table = read_table(data, len(data))
    except KarError:
        return {}
    return {path: data[table[path].offset : table[path].end] for path in select(table, VDB).files}


def judged(question: Question, dumped: Dumped | DumpFailed | None, undamaged: Decoded, child: Child) -> Verdict:
    """Return the verdict; `dumped` is None for an archive that is not proved, which no job would decode.

    Where fastq-dump fails on a column that only it reads, the reads of the undamaged archive are right.
    """
    try:
        decoded = child.ask(question, TIMEOUT)
    except ChildDied as died:
        if dumped is None:
            return Verdict("crash", f"not proved, {died.how}")
        return Verdict("wrong" if died.how.startswith("no answer") else "crash", f"proved, {died.how}")
    if isinstance(decoded, Declined):
        return Verdict("reason", "declined" if dumped is None else "proved, declined")
    if dumped is None:
        return Verdict("unproved", "decoded")
    if isinstance(dumped, DumpFailed) and decoded == [undamaged]:
        return Verdict("right", "fastq-dump fails")
    verdict = compare(question, dumped, decoded, child)
    return ENDS.get(verdict.end) or Verdict("wrong", f"{verdict.end}: {verdict.detail}")
