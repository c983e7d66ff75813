"""Each message of the toolkit means what the table says of it."""

import re

import pytest

from wort_cli.model.failure import Reason
from wort_cli.pipeline.toolkit.tool_errors import MEANINGS, Meaning, explain


@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda meaning: f"{meaning.reason} {meaning.code} {meaning.pattern}")
def test_each_row_explains_its_own_recorded_example(meaning: Meaning) -> None:
    first = next(row for row in MEANINGS if meaning.code in row.codes and re.search(row.pattern, meaning.example))
    assert first == meaning
    said = f"2026-01-01T00:00:00 fastq-dump.3.0.3 err: {meaning.example}\nfastq-dump quit with error code 3\n"
    failure = explain("fastq-dump", meaning.code, said)
    assert failure.reason is meaning.reason
    if meaning.pattern:
        assert failure.detail == f"fastq-dump: err: {meaning.example}"


@pytest.mark.parametrize(
    ("code", "said", "reason"),
    [
        (0, "timeout exhausted while reading", Reason.TOOL_CRASH),  # it went on, and ended well
        (-9, "std::bad_alloc", Reason.MEMORY),
        (-11, "connection busy", Reason.TOOL_CRASH),
        (64, "item not found here, it cannot be opened as database or table", Reason.TOOL_CRASH),
        (3, "item not found here, it cannot be opened as database or table", Reason.NOT_FOUND),
    ],
)
def test_the_exit_code_has_its_say(code: int, said: str, reason: Reason) -> None:
    assert explain("x", code, said).reason is reason


def test_what_a_tool_says_for_information_is_no_reason() -> None:
    info = "2026-01-01T00:00:00 vdb-validate.3.0.3 info: Column 'READ': checksums ok"
    assert explain("vdb-validate", 3, info).reason is Reason.TOOL_CRASH


def test_an_earlier_row_wins_wherever_its_line_is() -> None:
    lines = [meaning.example for meaning in reversed(MEANINGS)]
    assert explain("x", 3, "\n".join(lines)).reason is MEANINGS[0].reason


@pytest.mark.parametrize(
    ("returncode", "stderr", "detail"),
    [
        (-9, "", "x was ended by signal 9"),
        (-11, "oh\n\n  no \n\n", "x was ended by signal 11: no"),
        (1, "", "x ended with exit code 1"),
        (64, "a\nb", "x ended with exit code 64: b"),
        (0, "all is well", "x ended with exit code 0: all is well"),
        (3, "  \n \n", "x ended with exit code 3"),
    ],
)
def test_otherwise_the_exit_code_or_signal_and_the_last_line_are_told(
    returncode: int, stderr: str, detail: str
) -> None:
    failure = explain("x", returncode, stderr)
    assert (failure.reason, failure.detail) == (Reason.TOOL_CRASH, detail)


def test_a_long_line_is_cut() -> None:
    assert len(explain("x", 1, "y" * 10_000).detail) < 400
    assert len(explain("x", 1, "checksum" + "y" * 10_000).detail) < 400
