"""Classifies the error responses of S3 servers by code, HTTP status and operation.  Pure functions.

Messages repeat the server's code only, because the text of servers and libraries may contain signed URLs.
"""

import re

from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import StoreError

PERMISSIONS = {
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:GetObject and s3:PutObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
}
"""The permission that an operation requires (AWS, Actions for Amazon S3)."""
BUCKET_OPERATIONS = frozenset({"ListObjectsV2", "ListMultipartUploads"})
TRANSIENT_CODES = frozenset(
    {"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "OperationAborted", "BadDigest"}
)
"""Codes of transient errors, whatever the status.  BadDigest: the content was changed before or while it was sent."""
WRONG_REGION_CODES = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
CREDENTIAL_CODES = {
    "InvalidAccessKeyId": "the server does not know the access key",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
    "ExpiredToken": "the credentials have expired",
    "TokenRefreshRequired": "the credentials have expired",
    "InvalidToken": "the session token is not valid",
}
NOT_FOUND_CODES = frozenset({"NoSuchKey", "404", "NotFound"})
PRECONDITION_CODES = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
"""Codes of a put whose condition does not hold."""
CODE = re.compile(r"[A-Za-z0-9._-]{1,60}")
CREDENTIALS_HINT = "correct the AWS_ variables or ~/.aws in the environment of the daemon; then `wort retry`"


def response_error(code: str, status: int, operation: str, key: str, target: S3Target) -> StoreError:
    """Return the error for a response with this code and HTTP status."""
    code = code if CODE.fullmatch(code) else "an unknown code"
    where = target.root if operation in BUCKET_OPERATIONS else target.url(key)
    response = f"{where}: the server answered {operation} with {code}"
    if code in TRANSIENT_CODES or status >= 500 or status == 429:
        return StoreError(Reason.STORAGE_DOWN, response)
    if code == "RequestTimeTooSkewed":  # transient, because NTP or an administrator corrects the clock
        hint = "set it (NTP); the job is retried automatically"
        return StoreError(Reason.STORAGE_DOWN, f"{response}: the clock of this machine is wrong", hint)
    if code == "NoSuchBucket":
        return storage_denied(f"there is no bucket {target.bucket}", "create it, or correct s3_bucket and s3_endpoint")
    why, hint = explain(code, status, operation, target)
    return storage_denied(f"{response}: {why}", hint)


def explain(code: str, status: int, operation: str, target: S3Target) -> tuple[str, str]:
    """Return the cause of a permanent error, and a hint."""
    if code in CREDENTIAL_CODES:
        return CREDENTIAL_CODES[code], CREDENTIALS_HINT
    if code in WRONG_REGION_CODES or status in (301, 307):
        return "the bucket is in another region", "set s3_region"
    if status in (401, 403):
        needed = PERMISSIONS.get(operation, operation)
        return f"the permission {needed} is missing", permission_hint(needed, operation, target)
    return f"status {status}", "`wort doctor` checks the bucket; docs/s3.md has the settings of common servers"


def permission_hint(needed: str, operation: str, target: S3Target) -> str:
    """Return how to grant a missing permission."""
    if target.unsigned:
        return "requests are not signed (s3_unsigned), so only public objects can be read"
    arn = f"arn:aws:s3:::{target.bucket}"
    place = arn if operation in BUCKET_OPERATIONS else f"{arn}/{target.prefix}*"
    more = " (and s3:ListBucket: without it a missing object looks forbidden)" if operation == "GetObject" else ""
    return f"allow {needed} on {place}{more}; docs/s3.md has a policy"


def storage_denied(sentence: str, hint: str) -> StoreError:
    """Return an error with the reason storage-denied, which a person must resolve."""
    return StoreError(Reason.STORAGE_DENIED, sentence, hint)
