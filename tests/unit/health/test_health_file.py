"""The health file: atomic reports of constant size, and the problems derived from them."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from wort_cli.errors import StorageProblem
from wort_cli.health.health_file import (
    MAX_LOOP_AGE,
    MAX_SENTENCE,
    SIZE,
    Health,
    HealthFile,
    decode,
    encode,
    problems,
    read_health,
)

WELL = Health(pid=7, turned_at=1000.0, turns=5, last=0.001, mean=0.002, longest=0.01, workers=2, workers_wanted=2)


def test_report_reads_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "health"
    file = HealthFile(path)
    assert read_health(path) is None
    for turns in (1, 10**12, 2):
        file.write(replace(WELL, turns=turns, trouble="größer\n" * turns if turns == 2 else ""))
        assert read_health(path) == replace(WELL, turns=turns, trouble="größer\n" * turns if turns == 2 else "")
        assert path.stat().st_size == SIZE
    file.close()
    again = HealthFile(path)  # the report of an earlier daemon stays until the first write
    assert read_health(path) is not None
    again.close()


def test_file_is_overwritten_in_place(tmp_path: Path) -> None:
    file = HealthFile(tmp_path / "health")
    before = (tmp_path / "health").stat()
    file.write(WELL)
    after = (tmp_path / "health").stat()
    assert (before.st_ino, before.st_blocks) == (after.st_ino, after.st_blocks)
    assert after.st_blocks * 512 >= SIZE
    file.close()


@pytest.mark.parametrize("letter", ["x", "\u4e00", "\U0001f600", "\0"])
def test_long_sentences_are_cut_to_fit_the_file(letter: str) -> None:
    data = encode(replace(WELL, trouble=letter * 10_000, blocked_by=letter * 10_000))
    found = decode(data)
    assert len(data) == SIZE
    assert found is not None
    assert 100 < len(found.trouble) <= MAX_SENTENCE
    assert letter * 10_000 == found.trouble + letter * (10_000 - len(found.trouble))


@pytest.mark.parametrize("at", [0, 70, 100])
def test_report_with_a_wrong_byte_is_ignored(at: int) -> None:
    data = bytearray(encode(WELL))
    data[at] ^= 1
    assert decode(bytes(data)) is None


@pytest.mark.parametrize("data", [b"", b" " * SIZE, b"\0" * SIZE, os.urandom(SIZE), encode(WELL)[:100]])
def test_incomplete_report_is_ignored(data: bytes, tmp_path: Path) -> None:
    assert decode(data) is None
    (tmp_path / "health").write_bytes(data)
    assert read_health(tmp_path / "health") is None


def test_concurrent_reader_sees_whole_reports_only(tmp_path: Path) -> None:
    path, ended, seen = tmp_path / "health", threading.Event(), []
    file = HealthFile(path)
    file.write(WELL)

    def read() -> None:
        while not ended.is_set():
            seen.append(read_health(path))

    reader = threading.Thread(target=read)
    reader.start()
    for turns in range(2000):
        file.write(replace(WELL, turns=turns, trouble="x" * (turns % 400)))
    ended.set()
    reader.join()
    file.close()
    assert seen
    assert None not in seen


def test_file_that_cannot_be_created_is_a_storage_problem(tmp_path: Path) -> None:
    with pytest.raises(StorageProblem):
        HealthFile(tmp_path / "no" / "health")


NOW = 1010.0


@pytest.mark.parametrize(
    ("health", "up", "now", "low", "expected"),
    [
        (WELL, 100, NOW, [], []),
        (None, 1, NOW, [], []),
        (None, 100, NOW, [], ["does not report"]),
        (replace(WELL, pid=8), 100, NOW, [], ["does not report"]),
        (WELL, 100, 1000 + MAX_LOOP_AGE + 1, [], ["been stuck for 21 seconds"]),
        (replace(WELL, trouble="the ledger cannot be written"), 100, NOW, [], ["the ledger cannot be written"]),
        (replace(WELL, workers=1), 100, NOW, [], ["1 of 2 workers"]),
        (replace(WELL, blocked_by="no job starts: the load is 9"), 100, NOW, [], []),
        (WELL, 100, NOW, ["1 B are free at /x"], ["1 B are free at /x"]),
        (None, 100, NOW, ["1 B are free at /x"], ["1 B are free at /x", "does not report"]),
    ],
)
def test_each_problem_is_reported_in_one_sentence(
    health: Health | None, up: float, now: float, low: list[str], expected: list[str]
) -> None:
    found = problems(health, 7, up, now, low)
    assert len(found) == len(expected)
    assert all(words in sentence for words, sentence in zip(expected, found, strict=True))
