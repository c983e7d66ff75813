"""Asks NCBI's data locator (SDL version 2) where the files of a run are.

A request names the run: `POST acc=SRR139146&filetype=run&accept-proto=https`.  The answer is JSON: for each run a
status, a message, and files with name, size, md5 and locations.  A run may have two files: the normalized archive, and
the Lite one (`noqual`), which has no qualities and whose read filter differs.

What an answer means is decided once, in the table MEANINGS, which has a recorded example for each row.

Sources: ncbi-vdb libs/vfs/{services,sdl-response}.c and test/vfs/test-sdl-response.cpp;
https://www.ncbi.nlm.nih.gov/Traces/sdl/2/.
"""

import contextlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from wort_cli.errors import shown
from wort_cli.model.accession import Accession
from wort_cli.model.archive_format import Format
from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.http import HttpClient, HttpError, host_of, retry_after
from wort_cli.reading.documents import json_object
from wort_cli.system.cancellation import NEVER, Cancellation

MAX_ANSWER = 1 << 20
"""Bytes; an answer about one run has about 1 kB."""
MAX_ARCHIVE = 1 << 50
"""Bytes; a larger size is an error of the answer."""
MAX_LOCATIONS = 100
MD5 = re.compile(r"[0-9a-f]{32}")
REFERENCE_OBJECTS = frozenset({"refseq", "wgs"})
"""The kinds of objects that have reference sequences."""
Found = TypeVar("Found")


@dataclass(frozen=True)
class Location:
    """Where a file can be fetched."""

    url: str
    service: str = ""
    """The name of the service, such as `s3`, `gs` or `sra-ncbi`."""
    region: str = ""
    expires_at: float = 0.0
    """When a signed URL ends to be good, in seconds since 1970; 0 if it does not."""
    named: bool = False
    """Whether the locator names it, so that what it serves is the archive of the run."""


@dataclass(frozen=True)
class RunFile:
    """An archive of a run as the locator describes it."""

    run: Accession
    format: Format
    size: int
    """Bytes."""
    md5: str
    """The md5 of the whole file, in hexadecimal; '' if the locator does not state it."""
    modified: str
    """When it was last changed, as the locator says; ''  if it does not."""
    locations: tuple[Location, ...]


@dataclass(frozen=True)
class ReferenceFile:
    """The archive that has a reference sequence; the fields are those of a RunFile."""

    name: str
    size: int
    md5: str
    modified: str
    locations: tuple[Location, ...]


@dataclass(frozen=True)
class Meaning:
    """One row of the table: what a status with a message means."""

    status: int
    """0 for any."""
    message: str
    """A regular expression that is searched in the message, without regard to case."""
    reason: Reason
    sentence: str
    example: str
    """A recorded answer."""


MEANINGS = (
    Meaning(
        404,
        "no data",
        Reason.NO_DATA,
        "NCBI knows the run, but has no file of it yet",
        '{"version":"2","result":[{"bundle":"SRR999999","status":404,"msg":"No data at given location.region."}]}',
    ),
    Meaning(
        404,
        "",
        Reason.NOT_FOUND,
        "NCBI does not know this run",
        '{"version":"2","result":[{"bundle":"SRR999999","status":404,"msg":"Cannot resolve accession"}]}',
    ),
    Meaning(
        403,
        "removed|withdrawn|suppressed|distribution",
        Reason.WITHDRAWN,
        "NCBI no longer distributes this run",
        '{"version":"2","result":[{"bundle":"SRR999999","status":403,"msg":"The run was removed from distribution"}]}',
    ),
    Meaning(
        403,
        "not (yet )?(been )?(published|public|released)|embargo",
        Reason.NOT_PUBLISHED,
        "the run is not published yet",
        '{"version":"2","result":[{"bundle":"SRR999999","status":403,"msg":"The run is not published yet"}]}',
    ),
    Meaning(
        403,
        "",
        Reason.CONTROLLED,
        "access to this run is controlled",
        '{"version":"2","result":[{"bundle":"SRR2043623","status":403,'
        '"msg":"Access denied - please request permission to access phs000710/HMB in dbGaP"}]}',
    ),
    Meaning(
        410,
        "",
        Reason.WITHDRAWN,
        "the run was withdrawn",
        '{"version":"2","result":[{"bundle":"SRR999999","status":410,"msg":"gone"}]}',
    ),
    Meaning(
        406,
        "",
        Reason.LOCATOR_REFUSED,
        "NCBI's locator refuses to answer this version of wort, or from this place",
        '{"version":"2","result":[{"bundle":"SRR999999","status":406,"msg":"Location is required"}]}',
    ),
    Meaning(
        0,
        "AWS identity",
        Reason.LOCATOR_REFUSED,
        "NCBI's locator cannot parse the identity of this cloud machine",
        '{"version":"2","status":400,"message":"Cannot parse AWS identity"}',
    ),
    Meaning(
        429,
        "",
        Reason.RATE_LIMITED,
        "NCBI's locator asks for fewer requests",
        '{"version":"2","status":429,"message":"Too many requests"}',
    ),
    Meaning(
        500,
        "",
        Reason.NETWORK,
        "NCBI's locator has an internal error",
        '{"version":"2","result":[{"bundle":"SRR999999","status":500,"msg":"Internal Server Error"}]}',
    ),
    Meaning(
        400,
        "",
        Reason.LOCATOR_REFUSED,
        "NCBI's locator does not understand the request",
        '{"version":"2","status":400,"message":"Wrong parameter: accept-proto"}',
    ),
)
"""Rows in order; the first that fits decides.  5xx counts as 500, any other unknown status as 400."""


def find_run(client: HttpClient, url: str, run: Accession, cancellation: Cancellation = NEVER) -> tuple[RunFile, ...]:
    """Return the archives of a run, at least one.

    `url` is the locator's, of the setting `locator_url`.  Raises HttpError with the reason of the table, or with
    `network` if nothing came that is an answer of the locator.
    """
    fields = {"acc": run, "filetype": "run", "accept-proto": "https"}
    return ask(client, url, fields, lambda content, status: parse_answer(content, run, status), cancellation)


def find_reference(client: HttpClient, url: str, name: str, cancellation: Cancellation = NEVER) -> ReferenceFile:
    """Return the archive that has a reference sequence, as prefetch asks for it.  Raises HttpError as `find_run`."""
    fields = {"acc": name, "accept-proto": "https", "capability": "allow-cloud-refseq"}
    return ask(client, url, fields, lambda content, status: parse_reference(content, name, status), cancellation)


def ask(
    client: HttpClient,
    url: str,
    fields: Mapping[str, str],
    parse: Callable[[bytes, int], Found],
    cancellation: Cancellation,
) -> Found:
    """Send a request to the locator, and return its parsed answer."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    with client.request("POST", url, headers, urlencode(fields).encode(), cancellation) as answer:
        content = bytearray()
        for piece in answer.body:
            content += piece
            if len(content) > MAX_ANSWER:
                raise HttpError(Reason.NETWORK, f"the answer of {host_of(url)} is longer than {MAX_ANSWER:,} bytes")
        try:
            return parse(bytes(content), answer.status)
        except HttpError as error:
            error.retry_after = retry_after(answer.headers, time.time())
            raise


def parse_answer(content: bytes, run: Accession, status: int = 200) -> tuple[RunFile, ...]:
    """Return the archives that an answer of the locator lists for a run; `status` is that of HTTP.

    Raises HttpError if it lists none, or is no answer of the locator.
    """
    found = [file for item in listed_files(content, run, status) if (file := run_file(item, run))]
    if not found:
        raise HttpError(Reason.NO_DATA, "NCBI knows the run, but lists no archive of it that can be fetched freely")
    return tuple(found)


def parse_reference(content: bytes, name: str, status: int = 200) -> ReferenceFile:
    """Return the archive that an answer of the locator lists for a reference.  Raises HttpError as `parse_answer`."""
    for item in listed_files(content, name, status):
        found = file_facts(item)
        kinds = {str(item.get("object", "")).partition("|")[0], item.get("type")} if found else set()
        if found is not None and not REFERENCE_OBJECTS.isdisjoint(kinds):
            return ReferenceFile(name, *found)
    raise HttpError(Reason.NO_DATA, f"NCBI knows {name}, but lists no archive of it that can be fetched freely")


def listed_files(content: bytes, name: str, status: int) -> list[Any]:
    """Return the files that an answer of the locator lists for an accession."""
    document = json_object(content)
    if document is None:
        raise no_answer(content, status)
    if document.get("status", 200) != 200:
        raise meaning_of(document["status"], document.get("message", document.get("msg", "")))
    results = document.get("result")
    if status != 200 or not isinstance(results, list):
        raise no_answer(content, status)
    mine = [result for result in results if isinstance(result, dict) and result.get("bundle", name) == name]
    if not mine:
        raise HttpError(Reason.NETWORK, f"NCBI's locator answers about other runs than {name}")
    if mine[0].get("status") != 200:
        raise meaning_of(mine[0].get("status"), mine[0].get("msg", ""))
    files = mine[0].get("files")
    return files if isinstance(files, list) else []


def meaning_of(status: Any, message: Any) -> HttpError:
    """Return what a status other than 200 means."""
    number = status if isinstance(status, int) and not isinstance(status, bool) else 0
    text = message if isinstance(message, str) else ""
    looked_up = 500 if 500 <= number < 600 else number if number and number in {row.status for row in MEANINGS} else 400
    for row in MEANINGS:
        if row.status in (0, looked_up) and re.search(row.message, text, re.IGNORECASE):
            said = f": {shown(text, 200)}" if text else ""
            return HttpError(row.reason, f"{row.sentence} (status {number}{said})", status=number)
    raise AssertionError("the last row fits everything")


def no_answer(content: bytes, status: int) -> HttpError:
    """Return the error for bytes that are no answer of the locator."""
    if status == 429:
        return HttpError(Reason.RATE_LIMITED, "NCBI's locator asks for fewer requests (HTTP status 429)", status=status)
    if status != 200:
        return HttpError(Reason.NETWORK, f"NCBI's locator answers with HTTP status {status}", status=status)
    if content.lstrip()[:1] == b"<":
        return HttpError(
            Reason.NETWORK, "the answer is a web page, not one of NCBI's locator: does this network need a login?"
        )
    return HttpError(Reason.NETWORK, "the answer is not one of NCBI's locator")


def run_file(item: Any, run: Accession) -> RunFile | None:
    """Return an archive that is listed and can be fetched without an account; None if it is something else."""
    found = file_facts(item)
    if found is None or item.get("type") != "sra":
        return None
    lite = item.get("noqual") is True or str(item.get("name", "")).endswith((".sralite", ".lite"))
    return RunFile(run, Format.LITE if lite else Format.NORMALIZED, *found)


def file_facts(item: Any) -> tuple[int, str, str, tuple[Location, ...]] | None:
    """Return size, md5, time of change and locations of a file that is listed; None if it cannot be fetched freely."""
    if not isinstance(item, dict):
        return None
    size, md5, places = item.get("size"), item.get("md5", ""), item.get("locations")
    if (
        not isinstance(size, int)
        or isinstance(size, bool)
        or not 0 < size <= MAX_ARCHIVE
        or not isinstance(places, list)
    ):
        return None
    locations = tuple(place for entry in places[:MAX_LOCATIONS] if (place := location(entry)))
    if not locations:
        return None
    modified = item.get("modificationDate", "")
    return (
        size,
        md5 if isinstance(md5, str) and MD5.fullmatch(md5) else "",
        modified if isinstance(modified, str) and modified.isascii() and modified.isprintable() else "",
        locations,
    )


def location(entry: Any) -> Location | None:
    """Return a location that any client can fetch from; None if it costs money, needs a certain cloud, or is no URL."""
    if not isinstance(entry, Mapping) or entry.get("payRequired") is True or entry.get("ceRequired") is True:
        return None
    link = entry.get("link")
    if not isinstance(link, str) or not re.fullmatch(r"https?://[!-~]+", link) or "@" in urlsplit(link).netloc:
        return None
    words = {key: value for key in ("service", "region") if isinstance(value := entry.get(key), str)}
    return Location(link, words.get("service", ""), words.get("region", ""), seconds_of(entry.get("expirationDate")))


def seconds_of(date: Any) -> float:
    """Return a date of the locator, such as 2020-01-01T00:00:00Z, in seconds since 1970; 0 if it is invalid."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return datetime.fromisoformat(date).timestamp()
    return 0.0
