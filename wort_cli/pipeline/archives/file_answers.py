"""Classifies the answers of servers from which archives and files of reads are fetched.

The table MEANINGS has one row for each meaning, with an example of an answer; a test reads the examples as answers.
Each row has a reason for an archive and one for a file of reads: if a location denies an archive, the job tries the
next one; a file of reads has only one URL.

Sources: RFC 9110 and 6585; Amazon S3 API reference, "Error responses"; the answers of Google Cloud Storage, nginx and
Apache.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.http import HttpError, host_of, retry_after


class ChangedArchive(HttpError):
    """A location serves another archive than the one that is being fetched."""


@dataclass(frozen=True)
class Meaning:
    """One row of the table: what some HTTP statuses mean."""

    statuses: frozenset[int]
    archive: Reason | None
    """The reason of a job that asked for a part of an archive; None if that is what comes."""
    reads: Reason | None
    """The same for a file of reads, which is asked for as a whole."""
    sentence: str
    """The predicate of a sentence about the host."""
    example: str
    """An answer: its head, and the beginning of its body."""
    passes: bool = False
    """Whether the same request may succeed a little later."""
    changed: bool = False
    """Whether the location has another archive than the one that is being fetched, or cannot send parts of it."""


def row(
    statuses: int | range | tuple[int, ...],
    archive: Reason | None,
    reads: Reason | None,
    sentence: str,
    example: str,
    *,
    passes: bool = False,
    changed: bool = False,
) -> Meaning:
    """Return a row of MEANINGS."""
    each = frozenset((statuses,) if isinstance(statuses, int) else statuses)
    return Meaning(each, archive, reads, sentence, example, passes, changed)


REFUSED = row(
    400,
    Reason.NETWORK,
    Reason.NOT_FOUND,
    "does not send the file",
    "HTTP/1.1 400 Bad Request\nContent-Type: application/xml; charset=UTF-8\nServer: UploadServer\n\n"
    "<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code><Message>Invalid argument.</Message>",
)
"""The meaning of every status that has no row, too."""
MEANINGS = (
    row(
        206,
        None,
        None,
        "sends a part of the file",
        'HTTP/1.1 206 Partial Content\nETag: "9e1efc0bd2ae7c0d4d1d7b1c1b0e9f1a-39"\nAccept-Ranges: bytes\n'
        "Content-Range: bytes 0-7/323741972\nContent-Type: binary/octet-stream\nContent-Length: 8\nServer: AmazonS3\n\n"
        "NCBI.sra",
    ),
    row(
        200,
        Reason.NETWORK,
        None,
        "ignores the range that it is asked for",
        "HTTP/1.0 200 OK\nServer: SimpleHTTP/0.6 Python/3.11.2\nContent-Type: application/octet-stream\n"
        "Content-Length: 323741972\n\nNCBI.sra",
        changed=True,
    ),
    row(
        429,
        Reason.RATE_LIMITED,
        Reason.RATE_LIMITED,
        "asks for fewer requests",
        "HTTP/1.1 429 Too Many Requests\nRetry-After: 30\nContent-Type: text/html\nServer: nginx\n\n"
        "<html><head><title>429 Too Many Requests</title></head>",
    ),
    row(
        (401, 403),
        Reason.NETWORK,
        Reason.NOT_FOUND,
        "denies access to the file",
        "HTTP/1.1 403 Forbidden\nContent-Type: application/xml\nTransfer-Encoding: chunked\nServer: AmazonS3\n\n"
        '6f\n<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message>',
    ),
    row(
        (404, 410),
        Reason.NO_DATA,
        Reason.NOT_FOUND,
        "does not have the file",
        "HTTP/1.1 404 Not Found\nContent-Type: application/xml\nTransfer-Encoding: chunked\nServer: AmazonS3\n\n"
        '10e\n<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        "<Message>The specified key does not exist.</Message><Key>sra/SRR999999/SRR999999</Key>",
    ),
    row(
        407,
        Reason.NETWORK,
        Reason.NETWORK,
        "is behind a proxy that wants a password (HTTPS_PROXY, NO_PROXY)",
        'HTTP/1.1 407 Proxy Authentication Required\nServer: squid/5.7\nProxy-Authenticate: Basic realm="proxy"\n'
        "Content-Length: 0\n\n",
    ),
    row(
        416,
        Reason.NETWORK,
        Reason.NETWORK,
        "has a shorter file than the one that is being fetched",
        "HTTP/1.1 416 Requested Range Not Satisfiable\nServer: nginx\nContent-Range: bytes */1024\n\n",
        changed=True,
    ),
    row(
        (408, 425),
        Reason.NETWORK,
        Reason.NETWORK,
        "did not wait for the request",
        "HTTP/1.1 408 Request Timeout\nContent-Length: 0\nConnection: close\n\n",
        passes=True,
    ),
    row(
        501,
        Reason.NETWORK,
        Reason.NOT_FOUND,
        "cannot answer such a request",
        "HTTP/1.1 501 Not Implemented\nContent-Type: application/xml\nServer: AmazonS3\n\n"
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NotImplemented</Code>',
    ),
    row(
        503,
        Reason.NETWORK,
        Reason.NETWORK,
        "is overloaded",
        "HTTP/1.1 503 Slow Down\nContent-Type: application/xml\nServer: AmazonS3\nRetry-After: 5\n\n"
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>SlowDown</Code>'
        "<Message>Please reduce your request rate.</Message>",
        passes=True,
    ),
    row(
        (500, 502, *range(504, 600)),
        Reason.NETWORK,
        Reason.NETWORK,
        "has an error of its own",
        "HTTP/1.1 502 Bad Gateway\nContent-Type: text/html\nServer: nginx\n\n<html>\n<head><title>502</title>",
        passes=True,
    ),
    REFUSED,
)


def meaning_of(status: int) -> Meaning:
    """Return the row of an HTTP status."""
    return next((meaning for meaning in MEANINGS if status in meaning.statuses), REFUSED)


def may_pass(status: int) -> bool:
    """Return whether the same request may succeed a little later; the status is 0 if there was no answer."""
    return status == 0 or meaning_of(status).passes


def check_part(status: int, url: str, headers: Mapping[str, str]) -> None:
    """Raise HttpError, or ChangedArchive, unless a request for a part of an archive was answered with a part."""
    meaning = meaning_of(status)
    if meaning.archive is not None:
        raise error_of(ChangedArchive if meaning.changed else HttpError, meaning.archive, status, url, headers)


def check_file(status: int, url: str, headers: Mapping[str, str]) -> None:
    """Raise HttpError unless a request for a file of reads was answered with the file or a part of it."""
    if reason := meaning_of(status).reads:
        raise error_of(HttpError, reason, status, url, headers)


def error_of(kind: type[HttpError], reason: Reason, status: int, url: str, headers: Mapping[str, str]) -> HttpError:
    """Return the error that says what a server answered, and for how long it asks not to be asked."""
    sentence = f"{host_of(url)} {meaning_of(status).sentence} (HTTP status {status})"
    return kind(reason, sentence, status=status, retry_after=retry_after(headers, time.time()))
