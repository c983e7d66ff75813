"""Tests of the table of answers: each row is reached by the answer that is recorded for it."""

import pytest

from wort_cli.model.failure import Reason
from wort_cli.pipeline.assemblies.answers import MEANINGS, Kind, Meaning, Outcome, failure_of, meaning_of


@pytest.mark.parametrize("row", MEANINGS, ids=[f"{n}-{row.outcome}" for n, row in enumerate(MEANINGS)])
def test_recorded_answer_means_what_its_row_says(row: Meaning) -> None:
    kind, status, head = row.example
    assert meaning_of(kind, status, head) is row


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("status", [200, 204, 206, 301, 400, 401, 403, 404, 416, 418, 429, 500, 503, 599])
def test_every_answer_means_something(kind: Kind, status: int) -> None:
    for head in (b"", b"\0" * 3000, b"<html>", b"\xff\xfe"):
        assert meaning_of(kind, status, head).outcome in Outcome


def test_failure_names_what_was_requested_and_the_status() -> None:
    limited = failure_of(meaning_of(Kind.SUMS, 429, b""), Kind.SUMS, "https://a/md5checksums.txt", 429)
    assert (limited.failure.reason, str(limited)) == (
        Reason.RATE_LIMITED,
        "the list of md5 sums at https://a/md5checksums.txt: it asks for fewer requests (HTTP status 429)",
    )
    page = failure_of(meaning_of(Kind.FILE, 200, b"<!DOCTYPE html>"), Kind.FILE, "https://a/b", 200)
    assert (page.failure.reason, page.failure.lasting) == (Reason.NETWORK, False)
    assert "does this network need a login?" in str(page)
