"""Reads a file of reads from a URL as it arrives, without a copy on disk; what breaks off is continued.

An answer that breaks off is continued by a request for the rest, which must be of the same file: same ETag or time of
change, and same length.  A server that cannot continue, or serves another file by then, ends the attempt.  The length
that the server announced must arrive; a server that announces none must end its answer properly (chunked).

`s3://BUCKET/KEY` is read by a presigned URL, with the credentials of the AWS chain.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.s3_target import S3Target, bucket_name
from wort_cli.pipeline.archives.file_answers import check_file
from wort_cli.pipeline.archives.http import (
    Answer,
    HttpClient,
    HttpError,
    Timeouts,
    host_of,
    url_without_query,
)
from wort_cli.pipeline.download import politeness_of
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.stores.object_store import StoreError
from wort_cli.system.cancellation import Cancellation

TIMEOUTS = Timeouts(total=86_400.0)
FAILURES = 4
"""Requests in a row that bring nothing, after which the attempt fails."""
PAUSE = 1.0
"""Seconds before a request is repeated."""
PRESIGNED_FOR = 86_400
"""Seconds for which the URL of an object is valid."""
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


class RemoteFile:
    """A file at a URL, which is read once, from its start to its end."""

    def __init__(self, url: str, client: HttpClient, cancellation: Cancellation) -> None:
        self.size = 0
        """Bytes, according to the server; 0 if it does not say."""
        self._url, self._client, self._cancellation = url, client, cancellation
        self._done = 0
        self._tag = ""
        self._pieces = self._read()

    def read(self, _: int = -1, /) -> bytes:
        """Return the next bytes; none at the end.  Raises JobFailed if they cannot be fetched; Cancelled."""
        return next(self._pieces, b"")

    def _read(self) -> Iterator[bytes]:
        failures = 0
        while True:
            before = self._done
            try:
                yield from self._request()
                return
            except HttpError as error:
                failures = failures + 1 if self._done == before else 1
                if failures >= FAILURES or error.reason is not Reason.NETWORK or error.status:
                    raise JobFailed(error.reason, f"{url_without_query(self._url)}: {error.detail}") from error
            until = time.monotonic() + PAUSE
            while time.monotonic() < until:
                self._cancellation.check()
                time.sleep(min(0.1, PAUSE))

    def _request(self) -> Iterator[bytes]:
        """Yield what follows the bytes that have arrived."""
        headers = {"Range": f"bytes={self._done}-"} if self._done else {}
        with self._client.request("GET", self._url, headers, cancellation=self._cancellation) as answer:
            self._check(answer)
            for piece in answer.body:
                self._done += len(piece)
                yield piece
        if self.size and self._done != self.size:
            raise HttpError(Reason.NETWORK, f"{self._done} bytes of {self.size} arrived")

    def _check(self, answer: Answer) -> None:
        """Raise HttpError, or JobFailed, unless an answer is the file, or the rest of the same file."""
        headers = {name.lower(): value for name, value in answer.headers.items()}
        check_file(answer.status, self._url, headers)
        tag = tag_of(headers)
        if not self._done:
            length = headers.get("content-length", "")
            if not length.isdecimal() and "chunked" not in headers.get("transfer-encoding", ""):
                raise JobFailed(Reason.NETWORK, f"{host_of(self._url)} does not say how long the file is")
            self.size = int(length) if length.isdecimal() else 0
            self._tag = tag
            return
        found = CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        continues = answer.status == 206 and found is not None and int(found[1]) == self._done
        if not continues or tag != self._tag or (self.size and found is not None and int(found[2]) != self.size):
            why = "the server cannot continue it, or has another file by now"
            raise JobFailed(Reason.NETWORK, f"{url_without_query(self._url)} broke off, and {why}")


@contextmanager
def remote_file(url: str, spec: JobSpec, cancellation: Cancellation) -> Iterator[RemoteFile]:
    """Open a file at a URL of http, https or s3.  Raises JobFailed if the URL of an object cannot be signed."""
    with HttpClient(TIMEOUTS, spec.download.connections, politeness_of(spec)) as client:
        yield RemoteFile(http_url(url), client, cancellation)


def http_url(url: str) -> str:
    """Return the URL that is requested: a presigned one for an object of S3."""
    parts = urlsplit(url)
    if parts.scheme != "s3":
        return url
    from wort_cli.stores.s3 import S3Store

    key = unquote(parts.path.lstrip("/"))
    try:
        return S3Store(S3Target(bucket_name(parts.netloc))).presigned_url(key, PRESIGNED_FOR, key.rpartition("/")[2])
    except (StoreError, ValueError) as error:
        reason = error.reason if isinstance(error, StoreError) else Reason.NOT_FOUND
        raise JobFailed(reason, f"{url}: {error}") from error


def tag_of(headers: Mapping[str, str]) -> str:
    """Return what identifies the content that an answer is of."""
    return headers.get("etag") or headers.get("last-modified", "")
