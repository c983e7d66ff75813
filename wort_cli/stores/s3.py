"""An ObjectStore on any S3 server; the only module that imports boto3.

Each store reads the credentials from the standard AWS chain.  A put is conditional and carries the md5 of its content,
which every S3 server verifies.  The newer checksums of AWS are sent only if a server requires them, because Ceph 16
rejects them over https.
"""

import base64
import hashlib
import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

import boto3
import botocore.exceptions as problems
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.parsers import ResponseParserError

import wort_cli
from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import Headers, ObjectTooLarge, PreconditionFailed, StoredObject, StoreError
from wort_cli.stores.s3_errors import (
    CREDENTIALS_HINT,
    NOT_FOUND_CODES,
    PRECONDITION_CODES,
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
PROBE = "doctor/conditional-put"

CREDENTIAL_PROBLEMS = (
    problems.NoCredentialsError, problems.PartialCredentialsError, problems.CredentialRetrievalError,
    problems.ProfileNotFound, problems.TokenRetrievalError, problems.SSOError, problems.ConfigParseError,
)  # fmt: skip
TRANSIENT_PROBLEMS = (
    problems.HTTPClientError, problems.ConnectionError, problems.IncompleteReadError, ResponseParserError
)  # fmt: skip
"""Errors of a server that is down, or that is not the S3 server."""


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
        with self._translate_errors("connect", ""):
            session = new_session()
            self._client: Any = session.client(
                "s3",
                endpoint_url=target.endpoint or None,
                region_name=target.region or session.region_name or "us-east-1",
                config=Config(
                    signature_version=UNSIGNED if target.unsigned else None,
                    connect_timeout=target.timeout,
                    read_timeout=target.timeout,
                    retries={"mode": "standard", "total_max_attempts": TRIES},
                    s3={"addressing_style": target.addressing},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    max_pool_connections=connections,
                    parameter_validation=False,  # it costs a twentieth of the time of a put
                    user_agent_extra=f"wort/{wort_cli.__version__}",
                ),
            )

    def head(self, key: str) -> StoredObject | None:
        """See ObjectStore.  After an error it sends GET too, because a response to HEAD has no error code."""
        try:
            return stored_object(key, self._client.head_object(**self._at(key)))
        except problems.ClientError:
            response = self._open(key)
            if response is None:
                return None
            response["Body"].close()
            return stored_object(key, response)
        except (problems.BotoCoreError, ResponseParserError) as error:
            raise self._error(error, "HeadObject", key) from None

    def read(self, key: str, file: IO[bytes], most: int) -> StoredObject | None:
        """See ObjectStore."""
        response = self._open(key)
        if response is None:
            return None
        size = 0
        with self._translate_errors("GetObject", key), closing(response["Body"]) as body:
            stored = stored_object(key, response)
            if stored.size > most:
                raise ObjectTooLarge(stored)
            for block in body.iter_chunks(BLOCK):
                file.write(block)
                size += len(block)
        if size != stored.size:
            raise StoreError(Reason.STORAGE_DOWN, f"{self.target.url(key)}: only {size} of {stored.size} bytes arrived")
        return stored

    def _open(self, key: str) -> Any:
        """Return the response to GET; None if the object does not exist."""
        try:
            return self._client.get_object(**self._at(key))
        except problems.ClientError as error:
            if error.response.get("Error", {}).get("Code") in NOT_FOUND_CODES:
                return None
            raise self._error(error, "GetObject", key) from None
        except (problems.BotoCoreError, ResponseParserError) as error:
            raise self._error(error, "GetObject", key) from None

    def put(self, key: str, content: Path | bytes, headers: Headers, *, replacing: str = "") -> str:
        """See ObjectStore."""
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
        with self._translate_errors("CopyObject", key):
            self._client.copy_object(**self._at(key), CopySource=self._at(source.key), CopySourceIfMatch=source.etag)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """See ObjectStore.  Only one page of a thousand keys is in memory."""
        full_prefix = self.target.prefix + prefix
        token: dict[str, str] = {}
        while True:
            with self._translate_errors("ListObjectsV2", prefix):
                page = self._client.list_objects_v2(Bucket=self.target.bucket, Prefix=full_prefix, **token)
            for item in page.get("Contents", ()):
                key = item["Key"].removeprefix(self.target.prefix)
                yield StoredObject(key, item["Size"], item["ETag"].strip('"'), {})
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def unfinished_uploads(self, prefix: str) -> Iterator[str]:
        """See ObjectStore."""
        markers: dict[str, str] = {}
        while True:
            with self._translate_errors("ListMultipartUploads", prefix):
                page = self._client.list_multipart_uploads(
                    Bucket=self.target.bucket, Prefix=self.target.prefix + prefix, **markers
                )
            for item in page.get("Uploads", ()):
                yield item["Key"].removeprefix(self.target.prefix)
            if not page.get("IsTruncated"):
                return
            markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

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

    def server_time(self) -> float:
        """Return the server's time, in seconds since 1970, from the Date header of a listing."""
        with self._translate_errors("ListObjectsV2", ""):
            response = self._client.list_objects_v2(Bucket=self.target.bucket, Prefix=self.target.prefix, MaxKeys=1)
        return parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()

    def supports_conditional_puts(self) -> bool:
        """Return whether the server honours conditional puts.  One small object, PROBE, stays in the bucket."""
        for _ in range(2):
            try:
                self.put(PROBE, b"written by `wort doctor` to test conditional puts\n", Headers("text/plain"))
            except PreconditionFailed:
                return True
        return False

    @contextmanager
    def _translate_errors(self, operation: str, key: str) -> Iterator[None]:
        """Turn the errors of boto3 into StoreError and PreconditionFailed."""
        try:
            yield
        except (problems.ClientError, problems.BotoCoreError, ResponseParserError) as error:
            raise self._error(error, operation, key) from None

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.target.bucket, "Key": self.target.prefix + key}

    def _error(self, error: Exception, operation: str, key: str) -> Exception:
        """Return our error for one of boto3's.  Its text is not repeated, because it may contain signed URLs."""
        if isinstance(error, problems.ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            if operation in ("PutObject", "CopyObject") and code in PRECONDITION_CODES | NOT_FOUND_CODES:
                return PreconditionFailed(code)
            return response_error(code, status, operation, key, self.target)
        what = f"{self.target.root}: {type(error).__name__} in {operation}"
        if isinstance(error, CREDENTIAL_PROBLEMS):
            return storage_denied(f"{what}: no usable credentials were found", CREDENTIALS_HINT)
        if isinstance(error, problems.SSLError):
            return StoreError(
                Reason.STORAGE_DOWN, f"{what}: the TLS connection failed", "check the certificates (AWS_CA_BUNDLE)"
            )
        if isinstance(error, TRANSIENT_PROBLEMS):
            return StoreError(Reason.STORAGE_DOWN, what)
        return storage_denied(what, "check the s3_ settings (`wort config show`) and the AWS configuration")


def stored_object(key: str, response: Any) -> StoredObject:
    """Return the object in a response to HEAD or GET; raise StoreError if its size is not announced."""
    if "ContentLength" not in response:
        raise StoreError(Reason.STORAGE_DOWN, f"{key}: the response has no Content-Length; it is not from an S3 server")
    return StoredObject(key, response["ContentLength"], etag_of(key, response), response["Metadata"])


def md5_of(file: io.BufferedIOBase) -> bytes:
    """Return the md5 of an open file."""
    return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()


def etag_of(key: str, response: Any) -> str:
    """Return the ETag in a response; raise StoreError without one: a captive portal, for example, sends none."""
    if "ETag" not in response:
        raise StoreError(Reason.STORAGE_DOWN, f"{key}: the response has no ETag; it is not from an S3 server")
    return str(response["ETag"]).strip('"')
