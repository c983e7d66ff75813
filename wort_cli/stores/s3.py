"""An ObjectStore on any S3 server; the only module that imports boto3, and s3_clock.py its signers.

Each store reads the credentials from the standard AWS chain.  A put is conditional and carries the md5 of its content,
which every S3 server verifies.  The newer checksums of AWS are sent only if a server requires them, because Ceph 16
rejects them over https.
"""

import base64
import hashlib
import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any

import boto3
import botocore.exceptions as problems
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

import wort_cli
from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import Headers, ObjectTooLarge, PreconditionFailed, StoredObject, StoreError
from wort_cli.stores.s3_answers import (
    check_etag,
    date_of,
    etag_of,
    listed_object,
    stored_object,
    unordered_listing,
)
from wort_cli.stores.s3_clock import ServerClock
from wort_cli.stores.s3_errors import (
    NOT_FOUND_CODES,
    PRECONDITION_CODES,
    WRITING,
    exception_error,
    response_error,
    storage_denied,
)

TRIES = 3
"""Tries of each request by boto3, with backoff.  Longer outages are left to the retries of the job."""
BLOCK = 1 << 20
SMALL = 1 << 20
"""Bytes up to which content is sent from memory.  For a file boto3 waits for `100 Continue` first."""
MAX_PUT = 5 * 2**30
"""Bytes that S3 accepts in one put; a signature of a billion k-mers is smaller."""


@cache
def service_models() -> Any:
    """Return botocore's loader, which keeps the descriptions of services that it has read from its own files.

    Reading and parsing them takes a tenth of a second.
    """
    return botocore.session.get_session().get_component("data_loader")


def new_session() -> Any:
    """Return a session with the user's present configuration and credentials."""
    session = botocore.session.get_session()
    session.register_component("data_loader", service_models())
    return boto3.session.Session(botocore_session=session)


class S3Store:
    """The objects below the prefix of a bucket.  Up to `connections` threads may use it at once."""

    def __init__(self, target: S3Target, connections: int = 4) -> None:
        self.target = target
        self._not_found_codes = NOT_FOUND_CODES | ({"AccessDenied"} if target.public else set())
        with self._translate_errors("connect", ""):
            session = self._session = new_session()
            self._client: Any = session.client(
                "s3",
                endpoint_url=target.endpoint or None,
                region_name=target.region or session.region_name or "us-east-1",
                config=Config(
                    signature_version=UNSIGNED if target.unsigned else "s3v4",
                    connect_timeout=target.timeout,
                    read_timeout=target.timeout,
                    retries={"mode": "standard", "total_max_attempts": TRIES - target.public},
                    s3={"addressing_style": target.addressing},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    max_pool_connections=connections,
                    parameter_validation=False,  # it costs a twentieth of the time of a put
                    user_agent_extra=f"wort/{wort_cli.__version__}",
                ),
            )
        ServerClock().attach(self._client)

    def head(self, key: str) -> StoredObject | None:
        """See ObjectStore.  After an error it sends GET too, because a response to HEAD has no error code."""
        try:
            response = self._client.head_object(**self._at(key))
            if "ContentLength" in response:
                return stored_object(key, response, response["ContentLength"])
        except problems.ClientError:
            pass
        except (problems.BotoCoreError, ResponseParserError) as error:
            raise self._error(error, "HeadObject", key) from None
        return self._head_by_get(key)

    def _head_by_get(self, key: str) -> StoredObject | None:
        """Return the description of an object from the response to GET; some servers announce no length."""
        response = self._open(key)
        if response is None:
            return None
        with self._translate_errors("GetObject", key), closing(response["Body"]) as body:
            size = response.get("ContentLength")
            return stored_object(key, response, sum(map(len, body.iter_chunks(BLOCK))) if size is None else size)

    def read(self, key: str, file: IO[bytes], most: int) -> StoredObject | None:
        """See ObjectStore."""
        response = self._open(key)
        if response is None:
            return None
        announced, size = response.get("ContentLength"), 0
        with self._translate_errors("GetObject", key), closing(response["Body"]) as body:
            if announced is not None and announced > most:
                raise ObjectTooLarge(stored_object(key, response, announced))
            for block in body.iter_chunks(BLOCK):
                size += len(block)
                if size > most:
                    raise ObjectTooLarge(stored_object(key, response, size))
                file.write(block)
        if announced not in (None, size):
            raise StoreError(Reason.STORAGE_DOWN, f"{self.target.url(key)}: only {size} of {announced} bytes arrived")
        return stored_object(key, response, size)

    def _open(self, key: str, **more: str) -> Any:
        """Return the response to GET; None if the object does not exist.

        A server that lets nobody list the public signatures says `AccessDenied` of an object that does not exist.
        """
        try:
            return self._client.get_object(**self._at(key), **more)
        except problems.ClientError as error:
            if error.response.get("Error", {}).get("Code") in self._not_found_codes:
                return None
            raise self._error(error, "GetObject", key) from None
        except (problems.BotoCoreError, ResponseParserError) as error:
            raise self._error(error, "GetObject", key) from None

    def read_range(self, key: str, start: int, size: int) -> bytes:
        """See ObjectStore."""
        response = self._open(key, Range=f"bytes={start}-{start + size - 1}")
        with self._translate_errors("GetObject", key):
            content = b"" if response is None else bytes(response["Body"].read(size))
        if len(content) != size or not response.get("ContentRange", "").startswith(f"bytes {start}-"):
            raise StoreError(Reason.STORAGE_DOWN, f"{self.target.url(key)}: the server does not send ranges of it")
        return content

    def put(self, key: str, content: Path | bytes, headers: Headers, *, replacing: str = "") -> str:
        """See ObjectStore."""
        check_etag(replacing, self.target.url(key))
        if isinstance(content, Path) and content.stat().st_size <= SMALL:
            content = content.read_bytes()
        with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
            md5 = bytes.fromhex(headers.md5) or md5_of(file)
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            if size > MAX_PUT:
                raise storage_denied(
                    f"{self.target.url(key)}: {size} bytes are more than S3 accepts in one put",
                    "keep it in the local store",
                )
            condition = {"IfMatch": replacing} if replacing else {"IfNoneMatch": "*"}
            encoding = {"ContentEncoding": headers.content_encoding} if headers.content_encoding else {}
            with self._translate_errors("PutObject", key):
                response = self._client.put_object(
                    **self._at(key),
                    **self._for_writing(),
                    **condition,
                    **encoding,
                    Body=content if isinstance(content, bytes) else file,
                    ContentLength=size,
                    ContentMD5=base64.b64encode(md5).decode(),
                    ContentType=headers.content_type,
                    Metadata=dict(headers.metadata or {}),
                )
        return etag_of(key, response)

    def copy(self, source: StoredObject, key: str) -> None:
        """See ObjectStore."""
        check_etag(source.etag, self.target.url(source.key))
        place = {"Bucket": self.target.bucket, "Key": self.target.prefix + source.key}
        with self._translate_errors("CopyObject", key):
            self._client.copy_object(
                **self._at(key), **self._for_writing(), CopySource=place, CopySourceIfMatch=source.etag
            )

    def delete(self, key: str) -> None:
        """See ObjectStore."""
        with self._translate_errors("DeleteObject", key):
            self._client.delete_object(**self._at(key))

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """See ObjectStore.  Only one page of a thousand keys is in memory.

        Raises StoreError if the keys are not in order, or if the listing does not advance: in a merge of listings,
        objects would seem to be missing.
        """
        full_prefix, last = self.target.prefix + prefix, ""
        token: dict[str, str] = {}
        while True:
            with self._translate_errors("ListObjectsV2", prefix):
                page = self._client.list_objects_v2(**self._bucket(), Prefix=full_prefix, **token)
            for item in page.get("Contents", ()):
                key = item["Key"].removeprefix(self.target.prefix)
                if key.encode() <= last.encode():
                    raise unordered_listing(self.target)
                last = key
                yield listed_object(key, item)
            if not page.get("IsTruncated"):
                return
            following = {"ContinuationToken": page.get("NextContinuationToken", "")}
            if following in (token, {"ContinuationToken": ""}):
                raise unordered_listing(self.target)
            token = following

    def unfinished_uploads(self, prefix: str) -> Iterator[str]:
        """See ObjectStore."""
        markers: dict[str, str] = {}
        while True:
            with self._translate_errors("ListMultipartUploads", prefix):
                page = self._client.list_multipart_uploads(
                    **self._bucket(), Prefix=self.target.prefix + prefix, **markers
                )
            for item in page.get("Uploads", ()):
                yield item["Key"].removeprefix(self.target.prefix)
            if not page.get("IsTruncated"):
                return
            following = {
                "KeyMarker": page.get("NextKeyMarker", ""),
                "UploadIdMarker": page.get("NextUploadIdMarker", ""),
            }
            if following == markers or not following["KeyMarker"]:
                raise unordered_listing(self.target)
            markers = following

    def presigned_url(self, key: str, seconds: int, filename: str) -> str:
        """See ObjectStore.  If requests are not signed, return the object's plain address."""
        download_headers = {
            "ResponseContentType": "application/json",
            "ResponseContentDisposition": f'attachment; filename="{filename}"',
        }
        with self._translate_errors("GetObject", key):
            signed = self._client.generate_presigned_url(
                "get_object",
                Params=self._at(key) | ({} if self.target.unsigned else download_headers),
                ExpiresIn=seconds,
            )
        return str(signed)

    def server_time(self) -> float | None:
        """Return the server's time, in seconds since 1970, from the Date header of a listing; None if it has none."""
        with self._translate_errors("ListObjectsV2", ""):
            response = self._client.list_objects_v2(**self._bucket(), Prefix=self.target.prefix, MaxKeys=1)
        return date_of(response)

    def credentials_expire_at(self) -> float | None:
        """See ObjectStore."""
        with self._translate_errors("connect", ""):
            credentials = None if self.target.unsigned else self._session.get_credentials()
            if credentials is None or credentials.get_frozen_credentials().token is None:
                return None
        ends = getattr(credentials, "_expiry_time", None)  # botocore has no public attribute
        return ends.timestamp() if ends is not None else 0.0

    @contextmanager
    def _translate_errors(self, operation: str, key: str) -> Iterator[None]:
        """Turn the errors of boto3 into StoreError and PreconditionFailed."""
        try:
            yield
        except (problems.ClientError, problems.BotoCoreError, ResponseParserError, HTTPError) as error:
            # boto3 passes some errors of urllib3 on that occur within a body.
            raise self._error(error, operation, key) from None

    def _bucket(self) -> dict[str, str]:
        """Return the parameters of every request."""
        payer = {"RequestPayer": "requester"} if self.target.requester_pays else {}
        return {"Bucket": self.target.bucket, **payer}

    def _at(self, key: str) -> dict[str, str]:
        """Return the parameters of every request about an object."""
        return {**self._bucket(), "Key": self.target.prefix + key}

    def _for_writing(self) -> dict[str, str]:
        """Return the parameters that the bucket demands of what is written."""
        target = self.target
        wanted = {"ServerSideEncryption": target.encryption, "SSEKMSKeyId": target.kms_key, "ACL": target.acl}
        return {name: value for name, value in wanted.items() if value}

    def _error(self, error: Exception, operation: str, key: str) -> Exception:
        """Return our error for one of boto3's.  Its text is not repeated, because it may contain signed URLs."""
        if isinstance(error, problems.ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            if operation in WRITING and code in PRECONDITION_CODES | NOT_FOUND_CODES:
                return PreconditionFailed(code)
            return response_error(code, status, operation, key, self.target)
        return exception_error(error, operation, self.target)


def md5_of(file: io.BufferedIOBase) -> bytes:
    """Return the md5 of an open file."""
    return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()
