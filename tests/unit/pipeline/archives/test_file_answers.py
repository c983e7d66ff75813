"""Answers of servers that files are fetched from are classified by one table, each row of which has an example."""

import io
from collections import Counter
from http.client import HTTPResponse
from socket import socket
from typing import cast

import pytest

from wort_cli.model.failure import TABLE, Disposition, Reason
from wort_cli.pipeline.archives.file_answers import (
    MEANINGS,
    REFUSED,
    ChangedArchive,
    Meaning,
    check_file,
    check_part,
    may_pass,
    meaning_of,
)
from wort_cli.pipeline.archives.http import HttpError

URL = "https://user:secret@example.org/sra/SRR000001?key=secret"


class Sent:
    """An answer of a server, as http.client reads it."""

    def __init__(self, text: str) -> None:
        self._data = text.replace("\n", "\r\n").encode()

    def makefile(self, _: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def read(text: str) -> tuple[int, dict[str, str]]:
    """Return the status of an answer and its headers."""
    answer = HTTPResponse(cast(socket, Sent(text)))
    answer.begin()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("row", MEANINGS, ids=lambda row: str(min(row.statuses)))
def test_example_of_a_row_has_its_meaning(row: Meaning) -> None:
    status, headers = read(row.example)
    assert meaning_of(status) is row
    assert may_pass(status) is row.passes
    for check, reason in ((check_part, row.archive), (check_file, row.reads)):
        if reason is None:
            check(status, URL, headers)
            continue
        with pytest.raises(HttpError) as caught:
            check(status, URL, headers)
        assert caught.value.reason is reason
        assert caught.value.detail == f"example.org {row.sentence} (HTTP status {status})"
        assert caught.value.status == status
        assert caught.value.retry_after == float(headers.get("retry-after", 0))
        assert isinstance(caught.value, ChangedArchive) is (row.changed and check is check_part)


def test_status_has_one_row() -> None:
    assert Counter(status for row in MEANINGS for status in row.statuses).most_common(1)[0][1] == 1


@pytest.mark.parametrize("status", [100, 204, 304, 418, 451, 600, 999])
def test_unknown_status_is_a_refusal_that_lasts(status: int) -> None:
    assert meaning_of(status) is REFUSED
    assert not may_pass(status)


def test_server_errors_pass_but_for_what_it_has_not_implemented() -> None:
    assert [status for status in range(500, 600) if not may_pass(status)] == [501]


def test_no_answer_of_one_location_ends_the_job_of_an_archive_for_good() -> None:
    reasons = {row.archive for row in MEANINGS} - {None}
    assert reasons == {Reason.NETWORK, Reason.NO_DATA, Reason.RATE_LIMITED}
    assert {TABLE[reason][0] for reason in reasons if reason} == {Disposition.RETRY}
