"""Exit codes and messages of the SRA toolkit map to reasons."""

import re

import pytest

from wort_cli.model.failure import Reason
from wort_cli.pipeline.toolkit.tool_errors import MEANINGS, Meaning, explain, is_crash


@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda meaning: f"{meaning.reason} {meaning.code} {meaning.pattern}")
def test_each_row_matches_its_recorded_example(meaning: Meaning) -> None:
    first = next(row for row in MEANINGS if meaning.code in row.codes and re.search(row.pattern, meaning.example))
    assert first == meaning
    stderr = f"2026-01-01T00:00:00 fastq-dump.3.0.3 err: {meaning.example}\nfastq-dump quit with error code 3\n"
    failure = explain("fastq-dump", meaning.code, stderr)
    assert failure.reason is meaning.reason
    if meaning.pattern:
        assert failure.detail == f"fastq-dump: err: {meaning.example}"


@pytest.mark.parametrize(
    ("code", "stderr", "reason"),
    [
        (0, "timeout exhausted while reading", Reason.TOOL_CRASH),  # it retried and succeeded
        (-9, "std::bad_alloc", Reason.MEMORY),
        (-11, "connection busy", Reason.TOOL_CRASH),
        (64, "item not found here, it cannot be opened as database or table", Reason.TOOL_CRASH),
        (3, "item not found here, it cannot be opened as database or table", Reason.NOT_FOUND),
    ],
)
def test_reason_depends_on_exit_code_too(code: int, stderr: str, reason: Reason) -> None:
    assert explain("x", code, stderr).reason is reason


def test_info_messages_are_ignored() -> None:
    info = "2026-01-01T00:00:00 vdb-validate.3.0.3 info: Column 'READ': checksums ok"
    assert explain("vdb-validate", 3, info).reason is Reason.TOOL_CRASH


def test_earlier_row_wins_wherever_its_message_is() -> None:
    lines = [meaning.example for meaning in reversed(MEANINGS)]
    assert explain("x", 3, "\n".join(lines)).reason is MEANINGS[0].reason


@pytest.mark.parametrize(
    ("returncode", "stderr", "detail"),
    [
        (-9, "", "x was killed by signal 9"),
        (-11, "oh\n\n  no \n\n", "x was killed by signal 11: no"),
        (1, "", "x exited with code 1"),
        (64, "a\nb", "x exited with code 64: b"),
        (0, "all is well", "x exited with code 0: all is well"),
        (3, "  \n \n", "x exited with code 3"),
    ],
)
def test_unknown_errors_are_described_by_exit_code_and_last_line(returncode: int, stderr: str, detail: str) -> None:
    failure = explain("x", returncode, stderr)
    assert (failure.reason, failure.detail) == (Reason.TOOL_CRASH, detail)


def test_long_message_is_cut() -> None:
    assert len(explain("x", 1, "y" * 10_000).detail) < 400
    assert len(explain("x", 1, "checksum" + "y" * 10_000).detail) < 400


WRAPPED = (
    "2026-11-26T23:42:09 fastq-dump.3.0.3 err: column undefined while opening cursor - failed x.sra\n"
    "\n=====\nAn error occurred during processing.\n=====\n\nfastq-dump quit with error code 3\n"
)


def test_error_of_the_tool_is_shown_instead_of_the_message_of_its_wrapper() -> None:
    detail = "fastq-dump exited with code 3: err: column undefined while opening cursor - failed x.sra"
    assert explain("fastq-dump", 3, WRAPPED).detail == detail


@pytest.mark.parametrize(
    ("code", "stderr", "expected"),
    [
        (1, "2026-11-26T23:42:09 fastq-dump.3.0.3 fatal: SIGNAL - Segmentation fault \nfastq-dump quit ...", True),
        (1, "2026-11-26T23:42:10 fastq-dump.3.0.3 fatal: SIGNAL - 6 ", True),
        (-11, "", True),
        (139, "Segmentation fault", True),
        (-9, "", False),
        (1, "", False),
        (3, WRAPPED, False),
        (0, "2026-11-26T23:42:09 fastq-dump.3.0.3 fatal: SIGNAL - Segmentation fault ", False),
    ],
)
def test_crash_of_a_tool(code: int, stderr: str, expected: bool) -> None:
    assert is_crash(code, stderr) is expected
