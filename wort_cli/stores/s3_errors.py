"""What an answer of an S3 server means: a pure decision of its code, its status and what was asked.

Sentences are our own words with the server's code: what servers and libraries write in full may hold addresses that
are signed.
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
"""What an identity must be allowed for an operation (AWS, Actions for Amazon S3)."""
BUCKET_OPERATIONS = frozenset({"ListObjectsV2", "ListMultipartUploads"})
TRANSIENT_CODES = frozenset({"SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "OperationAborted"})
"""Codes that say to come again, whatever the status."""
WRONG_REGION_CODES = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
CREDENTIAL_CODES = {
    "InvalidAccessKeyId": "the server does not know the access key",
    "SignatureDoesNotMatch": "the secret key is not the one of the access key",
    "ExpiredToken": "the credentials have expired",
    "TokenRefreshRequired": "the credentials have expired",
    "InvalidToken": "the session token is not valid",
}
NOT_FOUND_CODES = frozenset({"NoSuchKey", "404", "NotFound"})
PRECONDITION_CODES = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
"""Answers to a put whose condition does not hold."""
CODE = re.compile(r"[A-Za-z0-9._-]{1,60}")
CREDENTIALS_HINT = "mend AWS_ACCESS_KEY_ID and the like, or ~/.aws, where the daemon runs; then `wort retry`"


def response_error(code: str, status: int, operation: str, key: str, target: S3Target) -> StoreError:
    """What is wrong, for a person, when an operation on a key was answered with this code and HTTP status."""
    code = code if CODE.fullmatch(code) else "an unknown code"
    where = target.root if operation in BUCKET_OPERATIONS else target.url(key)
    answer = f"{where}: the server answered {operation} with {code}"
    if code in TRANSIENT_CODES or status >= 500 or status == 429:
        return StoreError(Reason.STORAGE_DOWN, answer)
    if code == "RequestTimeTooSkewed":  # a clock is set right sooner or later, mostly by itself
        hint = "set it (NTP); it is tried again by itself"
        return StoreError(Reason.STORAGE_DOWN, f"{answer}: the clock of this machine is wrong", hint)
    if code == "NoSuchBucket":
        return storage_denied(f"there is no bucket {target.bucket}", "make it, or mend s3_bucket and s3_endpoint")
    why, hint = explain(code, status, operation, target)
    return storage_denied(f"{answer}: {why}", hint)


def explain(code: str, status: int, operation: str, target: S3Target) -> tuple[str, str]:
    """What an answer means that will not change by itself, and how to mend it."""
    if code in CREDENTIAL_CODES:
        return CREDENTIAL_CODES[code], CREDENTIALS_HINT
    if code in WRONG_REGION_CODES or status in (301, 307):
        return "the bucket is in another region", "set s3_region"
    if status in (401, 403):
        needed = PERMISSIONS.get(operation, operation)
        return f"the permission {needed} is missing", permission_hint(needed, operation, target)
    return f"status {status}", "`wort doctor` looks at the bucket; docs/s3.md has the settings of common servers"


def permission_hint(needed: str, operation: str, target: S3Target) -> str:
    """How to give a permission that is missing."""
    if target.unsigned:
        return "requests are not signed (s3_unsigned); only what is public can be read"
    arn = f"arn:aws:s3:::{target.bucket}"
    place = arn if operation in BUCKET_OPERATIONS else f"{arn}/{target.prefix}*"
    more = " (and s3:ListBucket, without which what is missing looks forbidden)" if operation == "GetObject" else ""
    return f"allow {needed} on {place}{more}; docs/s3.md has a policy"


def storage_denied(sentence: str, hint: str) -> StoreError:
    """A trouble that a person must mend."""
    return StoreError(Reason.STORAGE_DENIED, sentence, hint)
