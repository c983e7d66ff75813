"""Judges how a case ended."""

import hashlib
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.damages.subjects import Subject
from tests.support.archives import DECODE
from wort_cli.model.failure import JobFailed
from wort_cli.pipeline.archives.counts import read_counts
from wort_cli.pipeline.toolkit.tools import ToolGroup

TIMEOUT = 30.0
"""Seconds for a tool."""
SPOTS_READ = re.compile(rb"^Read (\d+) spots", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """The verdict on a case."""

    end: str
    """`right`, `reason`, `not cured` or `wrong`; for the in-process decoder also `unproved`, `crash` or `undefined`."""
    detail: str
    """The proof of the right bytes, or the reason."""


class Judge:
    """Judges archives on disk; `reads` are digests of the reads of undamaged ones, by their names."""

    def __init__(self, tools: ToolGroup, reads: dict[str, str]) -> None:
        self.tools = tools
        self._reads = reads

    def judge_bytes(self, subject: Subject, path: Path, decoder: str, proved_by: str) -> Verdict:
        """Judge an archive that its sums have proved."""
        right = subject.has_needed_bytes(path.read_bytes(), decoder)
        return Verdict("right" if right else "wrong", proved_by)

    def judge_decoded(self, subject: Subject, path: Path, proved_by: str) -> Verdict:
        """Judge an archive by the reads that fastq-dump finds in it."""
        if subject.name not in self._reads:
            self._reads[subject.name] = decode(subject.path)[0]
        found, spots = decode(path)
        if not found:
            return Verdict("reason", "fastq-dump failed")
        if found == self._reads[subject.name]:
            return Verdict("right", proved_by)
        try:
            counts = read_counts(str(path), self.tools, time.monotonic() + TIMEOUT, on_disk=True)
        except JobFailed as failed:
            return reason_of(failed)
        if counts.spots != spots:
            return Verdict("reason", "not all spots were read")
        return Verdict("wrong", proved_by)


def reason_of(failed: JobFailed) -> Verdict:
    """Return the verdict for a job that fails or waits."""
    return Verdict("reason", failed.failure.reason)


def decode(path: Path) -> tuple[str, int]:
    """Return a digest of the reads of an archive, '' if fastq-dump fails, and the number of spots that it read."""
    run = subprocess.run([*DECODE, str(path)], capture_output=True, check=False, cwd=path.parent, timeout=TIMEOUT)
    read = SPOTS_READ.search(run.stderr)
    bases = b"\n".join(
        line for line in run.stdout.splitlines() if not line.startswith(b">")
    )  # names are those of files
    return hashlib.sha256(bases).hexdigest() if run.returncode == 0 else "", int(read[1]) if read else 0
