"""Classifies whatever goes wrong with an S3 server: error responses, and exceptions of the client library.

TABLE has one row for each cause, with the reason of a job that fails because of it, and a recorded example:
storage-credentials and storage-down pass, storage-denied needs a person.  The first row that names the code or the
exception applies; else the first that names the HTTP status.

Messages repeat the server's code only, because the text of servers and libraries may contain signed URLs.

Sources: AWS, Amazon S3 API reference, "Error responses"; the exceptions of botocore; the codes of Ceph (src/rgw/
rgw_common.cc) and MinIO (cmd/api-errors.go).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import StoreError

PERMISSIONS = {
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CopyObject": "s3:GetObject and s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
}
"""The permission that an operation requires (AWS, Actions for Amazon S3)."""
BUCKET_OPERATIONS = frozenset({"ListObjectsV2", "ListMultipartUploads"})
WRITING = frozenset({"PutObject", "CopyObject"})
NOT_FOUND_CODES = frozenset({"NoSuchKey", "404", "NotFound"})
PRECONDITION_CODES = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
"""Codes of a put whose condition does not hold."""
CODE = re.compile(r"[A-Za-z0-9._-]{1,60}")


@dataclass(frozen=True)
class Cause:
    """A cause of errors: how it is recognized, and what is said about it."""

    reason: Reason
    why: str
    """A clause for the user; {permission} and {bucket} are replaced.  Empty: the response itself says enough."""
    hint: str
    """{permission_hint} is replaced.  Empty: the hint of the reason."""
    example: str
    """The error of boto3, as it prints it."""
    names: frozenset[str] = frozenset()
    """Codes of responses, and names of exceptions of botocore and urllib3, or of their base classes."""
    statuses: frozenset[int] = frozenset()
    operations: frozenset[str] = frozenset(PERMISSIONS)
    """The operations that the row applies to."""
    lasting: bool = False
    """Whether the error concerns this object and will not pass."""


def row(
    reason: Reason,
    names: str,
    example: str,
    why: str,
    hint: str = "",
    statuses: Iterable[int] = (),
    operations: Iterable[str] = (),
    *,
    lasting: bool = False,
) -> Cause:
    """Return a row of TABLE; without `operations`, it applies to all."""
    return Cause(
        reason,
        why,
        hint,
        example,
        frozenset(names.split()),
        frozenset(statuses),
        frozenset(operations) or frozenset((*PERMISSIONS, "connect")),
        lasting,
    )


DENIED, DOWN, CREDENTIALS = Reason.STORAGE_DENIED, Reason.STORAGE_DOWN, Reason.STORAGE_CREDENTIALS
DOCTOR = "`wort doctor` checks the bucket; docs/s3.md has the settings of common servers"
TABLE = (
    # The credentials.
    row(
        CREDENTIALS,
        "ExpiredToken ExpiredTokenException TokenRefreshRequired RequestExpired",
        "An error occurred (ExpiredToken) when calling the PutObject operation: The provided token has expired.",
        "the credentials have expired",
    ),
    row(
        CREDENTIALS,
        "InvalidToken InvalidClientTokenId UnrecognizedClientException",
        "An error occurred (InvalidToken) when calling the GetObject operation: The provided token is malformed "
        "or otherwise invalid.",
        "the session token is not valid",
    ),
    row(
        CREDENTIALS,
        "InvalidAccessKeyId",
        "An error occurred (InvalidAccessKeyId) when calling the PutObject operation: The AWS Access Key Id you "
        "provided does not exist in our records.",
        "the server does not know the access key",
    ),
    row(
        CREDENTIALS,
        "NoCredentialsError PartialCredentialsError CredentialRetrievalError ProfileNotFound ConfigParseError "
        "TokenRetrievalError SSOError UnauthorizedSSOTokenError SSOTokenLoadError",
        "NoCredentialsError: Unable to locate credentials",
        "no usable credentials were found",
    ),
    row(
        DENIED,
        "SignatureDoesNotMatch",
        "An error occurred (SignatureDoesNotMatch) when calling the PutObject operation: The request signature we "
        "calculated does not match the signature you provided. Check your key and signing method.",
        "the secret key does not belong to the access key",
        "correct the AWS_ variables or ~/.aws in the environment of the daemon; then `wort retry`",
    ),
    # The bucket and the server.
    row(
        DENIED,
        "NoSuchBucket",
        "An error occurred (NoSuchBucket) when calling the PutObject operation: The specified bucket does not exist",
        "there is no bucket {bucket}",
        "create it, or correct s3_bucket and s3_endpoint",
    ),
    row(
        DENIED,
        "PermanentRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException",
        "An error occurred (PermanentRedirect) when calling the GetObject operation: The bucket you are "
        "attempting to access must be addressed using the specified endpoint. Please send all future requests to "
        "this endpoint.",
        "the bucket is in another region",
        "set s3_region",
        statuses=(301, 307),
    ),
    row(
        DENIED,
        "NotImplemented",
        "An error occurred (NotImplemented) when calling the PutObject operation: A header you provided implies "
        "functionality that is not implemented",
        "the server has no conditional puts",
        "without them, two machines could overwrite each other's signatures: upgrade the server, or use one that "
        "docs/s3.md lists",
        statuses=(501,),
        operations=WRITING,
    ),
    row(
        DENIED,
        "NotImplemented",
        "An error occurred (NotImplemented) when calling the ListMultipartUploads operation: A header you "
        "provided implies functionality that is not implemented.",
        "the server does not implement the request",
        DOCTOR,
        statuses=(501,),
    ),
    row(
        DENIED,
        "MethodNotAllowed",
        "An error occurred (MethodNotAllowed) when calling the PutObject operation: The specified method is not "
        "allowed against this resource.",
        "the server does not allow the request",
        DOCTOR,
        statuses=(405,),
    ),
    row(
        DENIED,
        "EntityTooLarge",
        "An error occurred (413) when calling the PutObject operation: Request Entity Too Large",
        "the server, or a proxy before it, accepts no object of this size",
        "raise its limit (client_max_body_size of nginx); until then the signature stays in the local store",
        statuses=(413,),
        lasting=True,
    ),
    row(
        DENIED,
        "MissingContentLength",
        "An error occurred (MissingContentLength) when calling the PutObject operation: You must provide the "
        "Content-Length HTTP header.",
        "a proxy removes the length of what is sent",
        "correct the proxy, or set s3_endpoint to the server itself",
        statuses=(411,),
    ),
    row(
        DENIED,
        "AccessControlListNotSupported",
        "An error occurred (AccessControlListNotSupported) when calling the PutObject operation: The bucket does "
        "not allow ACLs",
        "the bucket has no access control lists",
        "unset s3_acl",
    ),
    row(
        DENIED,
        "KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException KMS.AccessDeniedException "
        "InvalidEncryptionAlgorithmError",
        "An error occurred (KMS.DisabledException) when calling the PutObject operation: "
        "arn:aws:kms:us-east-1:111122223333:key/0 is disabled.",
        "the key that encrypts the bucket cannot be used",
        "set s3_encryption to a key that these credentials may use",
    ),
    row(
        DENIED,
        "InvalidObjectState",
        "An error occurred (InvalidObjectState) when calling the GetObject operation: The operation is not valid "
        "for the object's storage class",
        "the object is in an archive (Glacier)",
        "restore it, then `wort retry`",
    ),
    row(
        DENIED,
        "ProxyConnectionError ProxyAuthenticationRequired",
        'ProxyConnectionError: Failed to connect to proxy URL: "http://proxy:3128"',
        "the proxy refuses the connection",
        "correct HTTPS_PROXY, or name the server in NO_PROXY",
        statuses=(407,),
    ),
    # What passes.
    row(
        DOWN,
        "RequestTimeTooSkewed",
        "An error occurred (RequestTimeTooSkewed) when calling the PutObject operation: The difference between "
        "the request time and the current time is too large.",
        "the clock of this machine is wrong",
        "set it (NTP)",
    ),
    row(
        DOWN,
        "QuotaExceeded XMinioStorageFull",
        "An error occurred (QuotaExceeded) when calling the PutObject operation: Unknown",
        "the bucket is full",
        "make space or raise its quota",
        statuses=(507,),
    ),
    row(
        DOWN,
        "SSLError",
        "SSLError: SSL validation failed for https://s3.example.org/ [SSL: CERTIFICATE_VERIFY_FAILED] certificate "
        "verify failed: self-signed certificate (_ssl.c:992)",
        "the TLS connection failed",
        "check the certificates (AWS_CA_BUNDLE)",
    ),
    row(
        DOWN,
        "SlowDown ServiceUnavailable InternalError RequestTimeout Throttling ThrottlingException OperationAborted "
        # The content was changed before or while it was sent.
        "BadDigest HTTPClientError HTTPError ConnectionError IncompleteReadError ResponseParserError",
        "An error occurred (SlowDown) when calling the PutObject operation (reached max retries: 2): Please "
        "reduce your request rate.",
        "",
        statuses=(408, 425, 429, *range(500, 600)),
    ),
    row(
        DENIED,
        "AccessDenied",
        "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
        "the permission {permission} is missing",
        "{permission_hint}",
        statuses=(401, 403),
    ),
)
UNKNOWN = row(DENIED, "", "An error occurred (MalformedXML) when calling the PutObject operation: Unknown", "", DOCTOR)


def response_error(code: str, status: int, operation: str, key: str, target: S3Target) -> StoreError:
    """Return the error for a response with this code and HTTP status."""
    code = code if CODE.fullmatch(code) else "an unknown code"
    where = target.root if operation in BUCKET_OPERATIONS else target.url(key)
    cause = cause_of([code], status, operation)
    return explained(cause, f"{where}: the server answered {operation} with {code}", operation, target)


def exception_error(error: Exception, operation: str, target: S3Target) -> StoreError:
    """Return the error for an exception of the client library, which has no response."""
    names = [kind.__name__ for kind in type(error).__mro__]
    cause = cause_of(names, 0, operation)
    if cause is UNKNOWN:
        cause = replace(UNKNOWN, hint="check the s3_ settings (`wort config show`) and the AWS configuration")
    return explained(cause, f"{target.root}: {names[0]} in {operation}", operation, target)


def cause_of(names: Iterable[str], status: int, operation: str) -> Cause:
    """Return the cause of an error: by the first of `names` that a row has, else by the HTTP status."""
    rows = [cause for cause in TABLE if operation in cause.operations]
    by_name = (cause for name in names for cause in rows if name in cause.names)
    return next(by_name, next((cause for cause in rows if status in cause.statuses), UNKNOWN))


def explained(cause: Cause, what: str, operation: str, target: S3Target) -> StoreError:
    """Return the error with its sentence and its hint."""
    needed = PERMISSIONS.get(operation, operation)
    why = cause.why.format(permission=needed, bucket=target.bucket)
    hint = cause.hint.format(permission_hint=permission_hint(needed, operation, target))
    return StoreError(cause.reason, f"{what}: {why}" if why else what, hint, lasting=cause.lasting)


def permission_hint(needed: str, operation: str, target: S3Target) -> str:
    """Return how to grant a missing permission."""
    if target.unsigned:
        return "requests are not signed (s3_unsigned), so only public objects can be read"
    arn = f"arn:aws:s3:::{target.bucket}"
    place = arn if operation in BUCKET_OPERATIONS else f"{arn}/{target.prefix}*"
    more = ""
    if operation == "GetObject":
        more = " (and s3:ListBucket: without it a missing object looks forbidden)"
    elif operation in WRITING:
        more = " (or the bucket demands encryption, an ACL or payment: s3_encryption, s3_acl, s3_requester_pays)"
    return f"allow {needed} on {place}{more}; docs/s3.md has a policy"


def storage_denied(sentence: str, hint: str) -> StoreError:
    """Return an error with the reason storage-denied, which a person must resolve."""
    return StoreError(DENIED, sentence, hint)
