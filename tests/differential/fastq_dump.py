"""Runs fastq-dump on an archive, and parses its output."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.differential.in_process import Decoded
from tests.support.archives import DECODE
from wort_cli.pipeline.sketching.slices import Slice

PROGRAM = Path("/usr/lib/sra-toolkit/fastq-dump-orig")
"""The program that `fastq-dump` starts after it has resolved the name of a run; for a file, they do the same."""
TIMEOUT = 60.0
ATTEMPTS = 6
"""fastq-dump 3.0.3 crashes now and then on references outside the archive."""
TITLE = re.compile(rb">\S*\.(\d+)\.\d+ .*?length=(\d+)\n", re.DOTALL)
"""The title of a read, with its spot and its length."""
COUNTS = re.compile(rb"^(Read|Written) (\d+) spots for ", re.MULTILINE)


@dataclass(frozen=True)
class Dumped:
    """The reads of an archive, with the spots that they belong to."""

    spots: tuple[int, ...]
    reads: tuple[bytes, ...]
    read: int
    written: int

    def part(self, part: Slice) -> Decoded:
        """Return what a decoder should return for a slice."""
        pairs = [
            (spot, bases)
            for spot, bases in zip(self.spots, self.reads, strict=True)
            if part.first <= spot <= part.last and bases
        ]
        reads = [bases for _, bases in pairs]
        text = b"".join(bases + b"N" for bases in reads)
        lengths = [len(bases) for bases in reads]
        return Decoded(
            text, part.spots, len({spot for spot, _ in pairs}), len(reads), sum(lengths), max(lengths, default=0)
        )


@dataclass(frozen=True)
class DumpFailed:
    """Why fastq-dump failed."""

    code: int
    message: str
    crashed: bool = False


def filling(fill: int) -> dict[str, str]:
    """Return the environment of a process whose new memory is filled with a byte (mallopt(3), M_PERTURB)."""
    return {**os.environ, "MALLOC_PERTURB_": str(fill)}


def dump(
    archive: Path, *, program: str = str(PROGRAM), options: Sequence[str] = (), fill: int = 0
) -> Dumped | DumpFailed:
    """Run the recipe's fastq-dump in the archive's directory."""
    argv = [program, *options, *DECODE[1:], str(archive)]
    for _ in range(ATTEMPTS):
        try:
            done = subprocess.run(
                argv, capture_output=True, check=False, cwd=archive.parent, timeout=TIMEOUT, env=filling(fill)
            )
        except subprocess.TimeoutExpired:
            return DumpFailed(-1, "no end")
        if done.returncode >= 0 and b"SIGSEGV" not in done.stderr:
            break
    counts = dict(COUNTS.findall(done.stderr))
    if done.returncode or not counts:
        errors = [line for line in done.stderr.decode(errors="replace").splitlines() if " err: " in line]
        crashed = done.returncode < 0 or b"SIGSEGV" in done.stderr or b"Segmentation fault" in done.stderr
        return DumpFailed(done.returncode, " ".join(errors)[:300], crashed)
    records = tuple(records_of(done.stdout))
    return Dumped(
        tuple(spot for spot, _ in records),
        tuple(bases for _, bases in records),
        int(counts[b"Read"]),
        int(counts[b"Written"]),
    )


def records_of(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the spot and the bases of each read; damaged names and bases may have line feeds."""
    at = 0
    while at < len(text):
        title = TITLE.match(text, at)
        assert title is not None, text[at : at + 200]
        at = title.end() + int(title[2])
        yield int(title[1]), text[title.end() : at]
        at += 1
