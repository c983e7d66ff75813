"""Tests of the search in assembly summaries: few ranges of a sorted table, all of another one."""

from dataclasses import replace

import pytest

from tests.support.archive_server import ArchiveServer, Fate
from tests.support.assemblies import HEADER, Assembly, filler, table
from wort_cli.model.accession import AssemblyAccession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.assemblies.requests import Requests
from wort_cli.pipeline.assemblies.tables import Row, find_row

MANY = filler(3000)
"""A table of about a megabyte."""


def find(
    server: ArchiveServer, client: Requests, accession: str, data: bytes, log: list[str] | None = None
) -> Row | None:
    server.files["t.txt"] = data
    messages = [] if log is None else log
    return find_row(client, f"{server.url}/t.txt", AssemblyAccession(accession), messages.append)


@pytest.mark.parametrize("n", [0, 1, 137, 1499, 1500, 2998, 2999])
def test_row_is_found_by_a_few_ranges(server: ArchiveServer, client: Requests, n: int) -> None:
    data, wanted = table(MANY), MANY[n].accession
    row = find(server, client, wanted, data)
    assert row is not None
    assert (row["assembly_accession"], row["asm_name"]) == (wanted, "ASM584v2")
    assert len(server.requests) <= 8
    assert server.sent < len(data) / 3


@pytest.mark.parametrize("accession", ["GCA_000000001.1", "GCA_000000011.1", "GCA_000000010.2", "GCA_999999999.1"])
def test_absence_is_seen_by_a_few_ranges(server: ArchiveServer, client: Requests, accession: str) -> None:
    data = table(MANY)
    assert find(server, client, accession, data) is None
    assert server.sent < len(data) / 3


def test_versions_of_an_assembly_are_distinguished(server: ArchiveServer, client: Requests) -> None:
    versions = [replace(Assembly(), accession=f"GCA_000005845.{n}", asm_name=f"v{n}") for n in (1, 2, 10)]
    for one in versions:
        row = find(server, client, one.accession, table(versions))
        assert row is not None
        assert row["asm_name"] == one.asm_name
    assert find(server, client, "GCA_000005845.3", table(versions)) is None


def test_table_that_is_not_sorted_is_read_to_its_end(server: ArchiveServer, client: Requests) -> None:
    mixed = [*MANY[1500:], *MANY[:1500]]
    log: list[str] = []
    row = find(server, client, MANY[1600].accession, table(mixed), log)
    assert row is not None
    assert "it is not sorted" in log[0]
    few = [MANY[2], MANY[1], MANY[3]]
    assert find(server, client, MANY[7].accession, table(few)) is None


def test_server_without_ranges_is_read_to_its_end(server: ArchiveServer, client: Requests) -> None:
    log: list[str] = []
    data = table(MANY)
    whole = Fate(status=200, body=data, headers={"Content-Type": "text/plain"})
    server.fate = lambda request: whole
    row = find(server, client, MANY[-1].accession, data, log)
    assert row is not None
    assert "no ranges" in log[0]
    assert find(server, client, "GCA_999999999.1", data) is None


def test_table_that_is_missing_or_empty_lists_nothing(server: ArchiveServer, client: Requests) -> None:
    assert find_row(client, f"{server.url}/none.txt", AssemblyAccession("GCA_000005845.2"), print) is None
    assert find(server, client, "GCA_000005845.2", HEADER.encode()) is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"Run,ReleaseDate\nSRR1,2020\n", "the answer is not an assembly summary"),
        (HEADER.replace("ftp_path", "path").encode(), "has no column ftp_path"),
        (HEADER.encode() + b"GCA_000005845.2\tPRJNA225\n", "has a row of 2 values for GCA_000005845.2"),
    ],
    ids=["other", "column", "short"],
)
def test_what_is_no_table_fails_for_a_while(server: ArchiveServer, client: Requests, data: bytes, message: str) -> None:
    with pytest.raises(JobFailed, match=message) as failed:
        find(server, client, "GCA_000005845.2", data)
    assert failed.value.failure.reason is Reason.NETWORK


def test_web_page_is_no_table(server: ArchiveServer, client: Requests) -> None:
    server.fate = lambda request: Fate(status=200)
    with pytest.raises(JobFailed, match="does this network need a login") as failed:
        find(server, client, "GCA_000005845.2", table(MANY))
    assert failed.value.failure.reason is Reason.NETWORK


def test_server_that_asks_for_fewer_requests_is_not_asked_again(server: ArchiveServer, client: Requests) -> None:
    server.fate = lambda request: Fate(status=429)
    with pytest.raises(JobFailed, match="fewer requests") as failed:
        find(server, client, "GCA_000005845.2", table(MANY))
    assert failed.value.failure.reason is Reason.RATE_LIMITED
    assert len(server.requests) == 1


def test_answer_that_may_come_a_little_later_is_waited_for(server: ArchiveServer, client: Requests) -> None:
    server.fate = lambda request: Fate(status=503) if request.number % 2 == 0 else Fate()
    assert find(server, client, MANY[70].accession, table(MANY)) is not None
