"""Tests of errors: sentence, hint and exit code."""

from pathlib import Path
from subprocess import CalledProcessError, TimeoutExpired

import pytest

from wort_cli import errors
from wort_cli.errors import ExitCode, WortError, cause_of, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SRR139146", "'SRR139146'"),
        ("", "''"),
        ("größer", "'größer'"),
        ("a\nb", r"'a\nb'"),
        ("\x1b[31m", r"'\x1b[31m'"),
        ("a\0", r"'a\x00'"),
        ("\u202eabc", r"'\u202eabc'"),
        ("\udcff", r"'\udcff'"),
        ("x" * 60, f"'{'x' * 60}'"),
        ("x" * 61, f"'{'x' * 60}\\u2026'"),
    ],
)
def test_text_from_outside_is_quoted_escaped_and_truncated(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_limit_of_shown_text_can_be_set() -> None:
    assert shown("abcdef", 3) == r"'abc\u2026'"


@pytest.mark.parametrize(
    ("error", "code", "part"),
    [
        (errors.UsageError("no"), 2, "no"),
        (errors.InvalidAccession("x"), 2, "'x'"),
        (errors.InvalidName("x y"), 2, "'x y'"),
        (errors.NoSuchFile(Path("/x")), 2, "/x"),
        (errors.SettingsError("jobs", "$WORT_JOBS", "too many"), 2, "$WORT_JOBS"),
        (errors.NoSuchJob("job 3"), 2, "job 3"),
        (errors.LedgerTooNew(Path("/l"), 9, 1), 1, "version 9"),
        (errors.LedgerDamaged(Path("/l"), "malformed"), 1, "malformed"),
        (errors.StorageProblem("full"), 75, "full"),
        (errors.DaemonNotRunning(), 4, "no daemon"),
        (errors.DaemonAlreadyRunning(7), 0, "7"),
        (errors.NotASignature(Path("/s"), "empty"), 6, "empty"),
        (WortError("well"), 1, "well"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_error_has_its_exit_code_and_names_its_subject(error: WortError, code: int, part: str) -> None:
    assert error.exit_code == code
    assert part in error.sentence
    assert str(error) == error.sentence


def test_exit_codes_do_not_change() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0, "SOME_FAILED": 1, "USAGE": 2, "UNAVAILABLE": 3, "NO_DAEMON": 4, "MISMATCH": 5, "NOT_A_SIGNATURE": 6,
        "TEMPORARY": 75, "INTERRUPTED": 130,
    }  # fmt: skip


@pytest.mark.parametrize("path", [Path("/a\x1b[2Jb"), Path("/" + "x" * 10_000)])
def test_path_in_a_message_is_escaped_and_truncated(path: Path) -> None:
    for error in (errors.NoSuchFile(path), errors.NotASignature(path, "no")):
        assert error.sentence.isprintable()
        assert len(error.sentence) < 300


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError(2, "No such file", "/x"), "No such file: /x"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (CalledProcessError(3, ["tool", "--version"]), "exit code 3"),
        (TimeoutExpired(["tool"], 20.0), "no answer within 20 seconds"),
        (ValueError("it is wrong"), "it is wrong"),
    ],
)
def test_cause_has_no_words_of_python(error: Exception, text: str) -> None:
    assert cause_of(error) == text
