"""The output of fastq-dump is passed on in pieces of a certain size."""

import pytest

from tests.support.builders import random_reads
from wort_cli.pipeline.decoding import fastq_dump
from wort_cli.pipeline.decoding.fastq_dump import cut_between_reads

READS = [*random_reads(60, 90), "ACGTNNACGTACGTNACGTTTGCA", "acgtacgtacgtttgca" * 3, "", "AC"]


@pytest.mark.parametrize("chunk", [1, 3, 7, 100, 10_000])
@pytest.mark.parametrize("size", [1, 40, 500, 1 << 20])
def test_text_is_cut_between_reads(monkeypatch: pytest.MonkeyPatch, chunk: int, size: int) -> None:
    monkeypatch.setattr(fastq_dump, "TEXT_SIZE", size)
    text = "".join(f"N{read}" for read in READS).encode()
    cut = list(
        cut_between_reads((text[start : start + chunk] for start in range(0, len(text), chunk)), lambda: b"NACGT")
    )
    assert b"".join(cut) == text + b"NACGT"
    assert all(part.startswith(b"N") for part in cut)
    if size > len(text):
        assert len(cut) == 1
    elif chunk <= size:
        assert max(map(len, cut)) <= size + chunk + max(map(len, READS)) + len("NNACGT")
