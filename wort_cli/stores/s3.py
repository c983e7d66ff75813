"""An ObjectStore on any S3 server, by boto3: the only module that imports it.

Credentials come from the standard AWS chain, anew for each store.  A put is conditional and is sent with the md5 of its
content, which every S3 server compares with what arrived; the newer checksums of AWS are used only where a server asks
for them, for Ceph 16 refuses them over https.
"""

import base64
import hashlib
import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any

import boto3
import botocore.exceptions as problems
from botocore import UNSIGNED
from botocore.config import Config
from botocore.parsers import ResponseParserError

import wort_cli
from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import Headers, PreconditionFailed, StoredObject, StoreError
from wort_cli.stores.s3_errors import (
    CREDENTIALS_HINT,
    NOT_FOUND_CODES,
    PRECONDITION_CODES,
    response_error,
    storage_denied,
)

TRIES = 3
"""Of each request, by boto3, with pauses between; what fails longer is for the job's own retries."""
BLOCK = 1 << 20
SMALL = 1 << 20
"""Bytes that are sent from memory, at once; before those of a file boto3 waits for the server's leave."""
LARGEST = 5 * 2**30
"""Bytes that S3 takes in one put; a signature of a thousand million k-mers is smaller."""
PROBE = "doctor/conditional-put"

CREDENTIAL_PROBLEMS = (
    problems.NoCredentialsError, problems.PartialCredentialsError, problems.CredentialRetrievalError,
    problems.ProfileNotFound, problems.TokenRetrievalError, problems.SSOError, problems.ConfigParseError,
)  # fmt: skip
TRANSIENT_PROBLEMS = (
    problems.HTTPClientError, problems.ConnectionError, problems.IncompleteReadError, ResponseParserError
)  # fmt: skip
"""What a server does that is down, or not the one that is meant."""


class S3Store:
    """The objects below the prefix of a bucket.  May be used from several threads at once, `connections` of them."""

    def __init__(self, target: S3Target, connections: int = 4) -> None:
        self.target = target
        with self._translate_errors("connect", ""):
            session = boto3.session.Session()
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
                    parameter_validation=False,  # a twentieth of the time of a put
                    user_agent_extra=f"wort/{wort_cli.__version__}",
                ),
            )

    def head(self, key: str) -> StoredObject | None:
        """See ObjectStore.  An answer to HEAD has no body that says why, so that GET is asked when it is not plain."""
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

    def read(self, key: str, file: IO[bytes]) -> StoredObject | None:
        """See ObjectStore."""
        response = self._open(key)
        if response is None:
            return None
        size = 0
        with self._translate_errors("GetObject", key), closing(response["Body"]) as body:
            for block in body.iter_chunks(BLOCK):
                file.write(block)
                size += len(block)
        if size != response["ContentLength"]:
            raise StoreError(
                Reason.STORAGE_DOWN, f"{self.target.url(key)}: {size} bytes came of {response['ContentLength']}"
            )
        return stored_object(key, response)

    def _open(self, key: str) -> Any:
        """The answer to a GET; None if there is no such object."""
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
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            if size > LARGEST:
                raise storage_denied(
                    f"{self.target.url(key)}: {size} bytes are more than S3 takes in one put", "keep it here"
                )
            condition = {"IfMatch": replacing} if replacing else {"IfNoneMatch": "*"}
            encoding = {"ContentEncoding": headers.content_encoding} if headers.content_encoding else {}
            with self._translate_errors("PutObject", key):
                answer = self._client.put_object(
                    **self._at(key),
                    **condition,
                    **encoding,
                    Body=content if isinstance(content, bytes) else file,
                    ContentLength=size,
                    ContentMD5=base64.b64encode(md5).decode(),
                    ContentType=headers.content_type,
                    Metadata=dict(headers.metadata or {}),
                )
        return etag_of(key, answer)

    def copy(self, source: StoredObject, key: str) -> None:
        """See ObjectStore."""
        with self._translate_errors("CopyObject", key):
            self._client.copy_object(**self._at(key), CopySource=self._at(source.key), CopySourceIfMatch=source.etag)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """See ObjectStore.  A thousand at a time; each page is forgotten when the next one comes."""
        whole = self.target.prefix + prefix
        token: dict[str, str] = {}
        while True:
            with self._translate_errors("ListObjectsV2", prefix):
                page = self._client.list_objects_v2(Bucket=self.target.bucket, Prefix=whole, **token)
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

    def url(self, key: str, seconds: int, filename: str) -> str:
        """See ObjectStore.  Where requests are not signed, the object's plain address."""
        as_a_file = {
            "ResponseContentType": "application/json",
            "ResponseContentDisposition": f'attachment; filename="{filename}"',
        }
        with self._translate_errors("GetObject", key):
            signed = self._client.generate_presigned_url(
                "get_object", Params=self._at(key) | ({} if self.target.unsigned else as_a_file), ExpiresIn=seconds
            )
        return str(signed)

    def server_time(self) -> float:
        """The server's clock, in seconds since 1970, as it answers a listing of the bucket."""
        with self._translate_errors("ListObjectsV2", ""):
            answer = self._client.list_objects_v2(Bucket=self.target.bucket, Prefix=self.target.prefix, MaxKeys=1)
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()

    def supports_conditional_puts(self) -> bool:
        """Whether the server refuses to put where something is.  It leaves one small object, PROBE, in the bucket."""
        for _ in range(2):
            try:
                self.put(PROBE, b"wort doctor looks here whether puts are conditional\n", Headers("text/plain"))
            except PreconditionFailed:
                return True
        return False

    @contextmanager
    def _translate_errors(self, operation: str, key: str) -> Iterator[None]:
        """Turns the errors of boto3 into ours."""
        try:
            yield
        except (problems.ClientError, problems.BotoCoreError, ResponseParserError) as error:
            raise self._error(error, operation, key) from None

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.target.bucket, "Key": self.target.prefix + key}

    def _error(self, error: Exception, operation: str, key: str) -> Exception:
        """Our error for one of boto3's, of whose words none is repeated but the code."""
        if isinstance(error, problems.ClientError):
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            if operation in ("PutObject", "CopyObject") and code in PRECONDITION_CODES | NOT_FOUND_CODES:
                return PreconditionFailed(code)
            return response_error(code, status, operation, key, self.target)
        what = f"{self.target.root}: {type(error).__name__} while asking for {operation}"
        if isinstance(error, CREDENTIAL_PROBLEMS):
            return storage_denied(f"{what}: there are no credentials that can be used", CREDENTIALS_HINT)
        if isinstance(error, problems.SSLError):
            return StoreError(
                Reason.STORAGE_DOWN, f"{what}: no secure connection", "check certificates (AWS_CA_BUNDLE)"
            )
        if isinstance(error, TRANSIENT_PROBLEMS):
            return StoreError(Reason.STORAGE_DOWN, what)
        return storage_denied(
            what, "check the settings that begin with s3_ (`wort config show`) and the AWS configuration"
        )


def stored_object(key: str, answer: Any) -> StoredObject:
    """An object as the answer to a HEAD or GET tells of it."""
    return StoredObject(key, answer["ContentLength"], etag_of(key, answer), answer["Metadata"])


def etag_of(key: str, answer: Any) -> str:
    """The ETag in an answer.  StoreError if there is none: what a captive portal says to everything is no answer."""
    if "ETag" not in answer:
        raise StoreError(Reason.STORAGE_DOWN, f"{key}: what answered is no S3 server, it gave no ETag")
    return str(answer["ETag"]).strip('"')
