"""Damages on disk: one byte of an archive differs, and the archive is proved and perhaps decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.damages.damage import SINGLE, changed_byte
from tests.damages.subjects import PARTS, Subject
from tests.damages.verdict import TIMEOUT, Judge, Verdict, reason_of
from tests.support.builders import job_spec
from wort_cli.model.failure import JobFailed
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.locate import Archive, check_is_archive
from wort_cli.pipeline.archives.obtain import ProvedBy
from wort_cli.pipeline.archives.prove import prove_archive
from wort_cli.pipeline.known_md5 import check_is_accepted


@dataclass(frozen=True)
class DiskCase:
    """One byte that differs."""

    subject: Subject
    kind: str
    part: str
    place: int
    value: int

    def __str__(self) -> str:
        return f"{self.subject.name}: {self.kind} at {self.place} ({self.part}) becomes {self.value}, on disk"


def draw_case(subjects: Sequence[Subject], seed: str) -> DiskCase:
    """Return the case of a seed."""
    rng = Random(seed)
    subject, kind, part = rng.choice(subjects), rng.choice(SINGLE), rng.choice(PARTS)
    place = subject.place(part, rng)
    return DiskCase(subject, kind, part, place, changed_byte(kind, subject.data[place], rng))


def run_case(case: DiskCase, directory: Path, judge: Judge) -> Verdict:
    """Damage a copy of the archive, and judge what wort makes of it."""
    data = bytearray(case.subject.data)
    data[case.place] = case.value
    path = directory / case.subject.name
    path.write_bytes(data)
    archive = Archive(str(path), path, 1, 1, len(data))
    try:
        check_is_archive(path)
        proof = prove_archive(archive, judge.tools, TIMEOUT)
        check_is_accepted(archive, proof, job_spec(directory, path))
    except JobFailed as failed:
        return reason_of(failed)
    if proof.proved_by == ProvedBy.COLUMN_SUMS:
        return judge.judge_bytes(case.subject, path, FASTQ_DUMP, proof.proved_by)
    return judge.judge_decoded(case.subject, path, proof.proved_by)
