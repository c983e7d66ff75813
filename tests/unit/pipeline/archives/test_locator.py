"""Answers of NCBI's data locator are classified by one table, each row of which has a recorded example."""

import json
from typing import Any

import pytest

from tests.support.archive_server import ArchiveServer, Fate
from wort_cli.model.accession import Accession
from wort_cli.model.archive_format import Format
from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.http import HttpClient, HttpError, Timeouts
from wort_cli.pipeline.archives.locator import (
    MAX_ANSWER,
    MEANINGS,
    Location,
    Meaning,
    find_run,
    parse_answer,
    parse_reference,
)

RUN = Accession("SRR850901")
FILE: dict[str, Any] = {
    "object": "srapub|SRR850901",
    "type": "sra",
    "name": "SRR850901",
    "size": 323741972,
    "md5": "5e213b2319bd1af17c47120ee8b16dbc",
    "modificationDate": "2016-11-19T07:35:20Z",
    "locations": [
        {
            "link": "https://sra-download.ncbi.nlm.nih.gov/traces/sra3/SRR/000830/SRR850901",
            "service": "sra-ncbi",
            "region": "public",
        }
    ],
}
LITE = FILE | {"name": "SRR850901.lite", "size": 1000, "noqual": True}


def answer(*files: Any, **changes: Any) -> bytes:
    result = {"bundle": RUN, "status": 200, "msg": "ok", "files": list(files)} | changes
    return json.dumps({"version": "2", "result": [result]}).encode()


def refusal(content: bytes, status: int = 200) -> HttpError:
    with pytest.raises(HttpError) as caught:
        parse_answer(content, RUN, status)
    return caught.value


def test_archive_is_listed_with_size_md5_and_locations() -> None:
    (found,) = parse_answer(answer(FILE), RUN)
    assert (found.run, found.format, found.size) == (RUN, Format.NORMALIZED, 323741972)
    assert (found.md5, found.modified) == ("5e213b2319bd1af17c47120ee8b16dbc", "2016-11-19T07:35:20Z")
    assert found.locations == (
        Location("https://sra-download.ncbi.nlm.nih.gov/traces/sra3/SRR/000830/SRR850901", "sra-ncbi", "public"),
    )


def test_lite_archive_is_recognized() -> None:
    assert [file.format for file in parse_answer(answer(FILE, LITE), RUN)] == [Format.NORMALIZED, Format.LITE]


@pytest.mark.parametrize("row", MEANINGS, ids=lambda row: f"{row.status} {row.message}")
def test_recorded_example_of_a_row_has_its_meaning(row: Meaning) -> None:
    run = json.loads(row.example).get("result", [{}])[0].get("bundle", RUN)
    with pytest.raises(HttpError) as caught:
        parse_answer(row.example.encode(), Accession(run))
    assert caught.value.reason is row.reason
    assert row.sentence in caught.value.detail


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (404, "No data at given location.region.", Reason.NO_DATA),
        (404, "no data", Reason.NO_DATA),
        (404, "", Reason.NOT_FOUND),
        (403, "", Reason.CONTROLLED),
        (403, "Run has been suppressed", Reason.WITHDRAWN),
        (502, "Bad gateway", Reason.NETWORK),
        (599, "", Reason.NETWORK),
        (418, "I am a teapot", Reason.LOCATOR_REFUSED),
        (0, "", Reason.LOCATOR_REFUSED),
        ("404", "Cannot resolve accession", Reason.LOCATOR_REFUSED),
        (True, "", Reason.LOCATOR_REFUSED),
        (None, None, Reason.LOCATOR_REFUSED),
        (200.5, "", Reason.LOCATOR_REFUSED),
    ],
)
def test_status_of_a_run_decides_the_reason(status: Any, message: Any, reason: Reason) -> None:
    assert refusal(answer(status=status, msg=message)).reason is reason


def test_message_of_the_locator_is_escaped() -> None:
    detail = refusal(answer(status=404, msg="\x1b[2Jgone\n" * 50)).detail
    assert detail.isprintable()
    assert len(detail) < 600


@pytest.mark.parametrize(
    ("content", "status", "reason", "word"),
    [
        (b"<!DOCTYPE html><html>", 200, Reason.NETWORK, "login"),
        (b"  \n<html>", 200, Reason.NETWORK, "login"),
        (b"", 200, Reason.NETWORK, "the answer is not one of NCBI's locator"),
        (b"[]", 200, Reason.NETWORK, "the answer is not one of NCBI's locator"),
        (b"{}", 200, Reason.NETWORK, "the answer is not one of NCBI's locator"),
        (b'{"result": 1}', 200, Reason.NETWORK, "the answer is not one of NCBI's locator"),
        (b'{"result": []}', 200, Reason.NETWORK, "other runs"),
        (b'{"result": ["x", {"bundle": "SRR000009", "status": 200}]}', 200, Reason.NETWORK, "other runs"),
        (b"[" * 100_000, 200, Reason.NETWORK, "the answer is not one of NCBI's locator"),
        (b"<html>", 503, Reason.NETWORK, "503"),
        (b"<html>", 429, Reason.RATE_LIMITED, "fewer"),
    ],
)
def test_bytes_that_are_no_answer_are_trouble_of_the_network(
    content: bytes, status: int, reason: Reason, word: str
) -> None:
    error = refusal(content, status)
    assert error.reason is reason
    assert word in error.detail


UNUSABLE = {
    "other type": FILE | {"type": "vdbcache"},
    "no size": {key: value for key, value in FILE.items() if key != "size"},
    "size 0": FILE | {"size": 0},
    "size as text": FILE | {"size": "323741972"},
    "size true": FILE | {"size": True},
    "huge size": FILE | {"size": 1 << 60},
    "no locations": FILE | {"locations": []},
    "locations are text": FILE | {"locations": "https://x"},
    "costs money": FILE | {"locations": [{"link": "https://x/y", "payRequired": True}]},
    "needs a cloud": FILE | {"locations": [{"link": "https://x/y", "ceRequired": True}]},
    "file URL": FILE | {"locations": [{"link": "file:///etc/passwd"}]},
    "link with a blank": FILE | {"locations": [{"link": "https://x/y z"}]},
    "link with a user": FILE | {"locations": [{"link": "https://user:secret@x/y"}]},
    "link is no text": FILE | {"locations": [{"link": 7}, None, "x"]},
    "not an object": "SRR850901",
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_file_that_cannot_be_fetched_freely_is_not_listed(case: str) -> None:
    assert refusal(answer(UNUSABLE[case])).reason is Reason.NO_DATA
    assert len(parse_answer(answer(UNUSABLE[case], FILE), RUN)) == 1


@pytest.mark.parametrize("md5", ["", None, 7, "5E213B2319BD1AF17C47120EE8B16DBC", "abc"])
def test_md5_that_is_none_is_unknown(md5: Any) -> None:
    assert parse_answer(answer(FILE | {"md5": md5}), RUN)[0].md5 == ""


def test_expiration_of_a_signed_url_is_read() -> None:
    place = FILE["locations"][0] | {"expirationDate": "2020-01-01T00:00:00Z"}
    assert parse_answer(answer(FILE | {"locations": [place]}), RUN)[0].locations[0].expires_at == 1577836800.0


def test_locator_is_asked_for_one_run() -> None:
    with ArchiveServer({RUN: b"x" * 10}).serving() as server, HttpClient() as client:
        (found,) = find_run(client, f"{server.url}/sdl/2/retrieve", RUN)
        assert found.size == 10
        assert [(request.method, request.path) for request in server.requests] == [("POST", "/sdl/2/retrieve")]


@pytest.mark.parametrize(
    ("fate", "reason", "pause"),
    [
        (Fate(status=429, headers={"Retry-After": "17"}), Reason.RATE_LIMITED, 17.0),
        (Fate(status=503, headers={"Retry-After": "5"}), Reason.NETWORK, 5.0),
        (Fate(status=500), Reason.NETWORK, 0.0),
        (Fate(body=b"x" * (MAX_ANSWER + 1)), Reason.NETWORK, 0.0),
        (Fate(cut=0.5), Reason.NETWORK, 0.0),
        (Fate(silent=True), Reason.NETWORK, 0.0),
    ],
)
def test_locator_that_fails_is_trouble_that_may_pass(fate: Fate, reason: Reason, pause: float) -> None:
    server = ArchiveServer({RUN: b"x" * 10})
    server.fate = lambda request: fate
    with server.serving(), HttpClient(Timeouts(1.0, 1.0, 5.0)) as client, pytest.raises(HttpError) as caught:
        find_run(client, server.url, RUN)
    assert (caught.value.reason, caught.value.retry_after) == (reason, pause)


@pytest.mark.parametrize("kind", [{"object": "wgs|AAAA02", "type": "sra"}, {"object": "x", "type": "refseq"}])
def test_reference_is_listed(kind: dict[str, str]) -> None:
    content = answer(
        FILE | {"object": "pileup|AAAA02"}, FILE | {"name": "AAAA02.11", "size": 7} | kind, bundle="AAAA02000001.1"
    )
    found = parse_reference(content, "AAAA02000001.1")
    assert (found.name, found.size, found.md5) == ("AAAA02000001.1", 7, FILE["md5"])


def test_answer_without_the_reference_has_no_data() -> None:
    with pytest.raises(HttpError) as caught:
        parse_reference(answer(FILE, bundle="NC_000005.8"), "NC_000005.8")
    assert caught.value.reason is Reason.NO_DATA
