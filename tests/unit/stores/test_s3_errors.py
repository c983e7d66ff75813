"""The reason, the message and the hint for each error of an S3 server, and of the library that talks to it."""

import re

import botocore.exceptions as problems
import pytest
import urllib3.exceptions
from botocore.parsers import ResponseParserError

from wort_cli.errors import ExitCode
from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import StoreError
from wort_cli.stores.s3_answers import stored_object
from wort_cli.stores.s3_errors import TABLE, UNKNOWN, Cause, cause_of, exception_error, response_error

TARGET = S3Target("wort-sra", "mine/")
KEY = "sigs/SRR139146.sig"


DENIED, DOWN, CREDENTIALS = Reason.STORAGE_DENIED, Reason.STORAGE_DOWN, Reason.STORAGE_CREDENTIALS
# Responses as servers send them: the code, the HTTP status, the operation; the reason, and a part of the sentence.
RESPONSES = [
    ("ExpiredToken", 400, "PutObject", CREDENTIALS, "have expired"),  # AWS, temporary credentials
    ("RequestExpired", 400, "PutObject", CREDENTIALS, "have expired"),
    ("InvalidToken", 400, "GetObject", CREDENTIALS, "the session token is not valid"),
    ("InvalidClientTokenId", 403, "GetObject", CREDENTIALS, "the session token is not valid"),  # STS
    ("InvalidAccessKeyId", 403, "PutObject", CREDENTIALS, "does not know the access key"),
    ("SignatureDoesNotMatch", 403, "PutObject", DENIED, "the secret key does not belong to the access key"),
    ("NoSuchBucket", 404, "PutObject", DENIED, "there is no bucket wort-sra"),
    ("PermanentRedirect", 301, "GetObject", DENIED, "another region"),
    ("301", 301, "HeadObject", DENIED, "another region"),
    ("AuthorizationHeaderMalformed", 400, "PutObject", DENIED, "another region"),
    ("NotImplemented", 501, "PutObject", DENIED, "the server has no conditional puts"),  # R2, MinIO before 2024
    ("NotImplemented", 501, "ListMultipartUploads", DENIED, "the server does not implement the request"),
    ("MethodNotAllowed", 405, "PutObject", DENIED, "does not allow the request"),  # a web server
    ("EntityTooLarge", 400, "PutObject", DENIED, "accepts no object of this size"),
    ("", 413, "PutObject", DENIED, "accepts no object of this size"),  # nginx
    ("MissingContentLength", 411, "PutObject", DENIED, "a proxy removes the length"),
    ("AccessControlListNotSupported", 400, "PutObject", DENIED, "has no access control lists"),
    ("KMS.DisabledException", 400, "PutObject", DENIED, "the key that encrypts the bucket"),
    ("InvalidObjectState", 403, "GetObject", DENIED, "in an archive (Glacier)"),
    ("", 407, "GetObject", DENIED, "the proxy refuses the connection"),
    ("RequestTimeTooSkewed", 403, "PutObject", DOWN, "the clock of this machine is wrong"),
    ("QuotaExceeded", 403, "PutObject", DOWN, "the bucket is full"),  # Ceph
    ("XMinioStorageFull", 507, "PutObject", DOWN, "the bucket is full"),
    ("SlowDown", 503, "PutObject", DOWN, "SlowDown"),
    ("503", 503, "HeadObject", DOWN, "503"),
    ("InternalError", 500, "PutObject", DOWN, "InternalError"),
    ("RequestTimeout", 400, "PutObject", DOWN, "RequestTimeout"),
    ("BadDigest", 400, "PutObject", DOWN, "BadDigest"),
    ("TooMany", 429, "PutObject", DOWN, "TooMany"),
    ("", 502, "PutObject", DOWN, "an unknown code"),
    ("AccessDenied", 403, "PutObject", DENIED, "the permission s3:PutObject is missing"),
    ("403", 403, "HeadObject", DENIED, "the permission s3:GetObject is missing"),
    ("MalformedXML", 400, "PutObject", DENIED, "MalformedXML"),  # not in the table
]
# Exceptions of botocore, as it raises them.
EXCEPTIONS = [
    (problems.NoCredentialsError(), CREDENTIALS, "no usable credentials were found"),
    (problems.CredentialRetrievalError(provider="custom-process", error_msg="x"), CREDENTIALS, "no usable credentials"),
    (problems.UnauthorizedSSOTokenError(), CREDENTIALS, "no usable credentials"),
    (problems.TokenRetrievalError(provider="sso", error_msg="x"), CREDENTIALS, "no usable credentials"),
    (problems.ProfileNotFound(profile="x"), CREDENTIALS, "no usable credentials"),
    (problems.SSLError(endpoint_url="https://x", error="x"), DOWN, "the TLS connection failed"),
    (problems.ProxyConnectionError(proxy_url="http://x"), DENIED, "the proxy refuses the connection"),
    (problems.EndpointConnectionError(endpoint_url="https://x"), DOWN, "EndpointConnectionError"),
    (problems.ConnectTimeoutError(endpoint_url="https://x"), DOWN, "ConnectTimeoutError"),
    (problems.ReadTimeoutError(endpoint_url="https://x"), DOWN, "ReadTimeoutError"),
    (problems.ConnectionClosedError(endpoint_url="https://x"), DOWN, "ConnectionClosedError"),
    (problems.ResponseStreamingError(error="x"), DOWN, "ResponseStreamingError"),
    (problems.IncompleteReadError(actual_bytes=1, expected_bytes=2), DOWN, "IncompleteReadError"),
    (ResponseParserError("x"), DOWN, "ResponseParserError"),
    (urllib3.exceptions.SSLError("x"), DOWN, "the TLS connection failed"),  # within a body
    (urllib3.exceptions.DecodeError("x"), DOWN, "DecodeError"),
    (problems.InvalidEndpointDiscoveryConfigurationError(config_value="x"), DENIED, "PutObject"),  # not in the table
]


@pytest.mark.parametrize(("code", "status", "operation", "reason", "part"), RESPONSES)
def test_response_has_a_reason_and_a_sentence(
    code: str, status: int, operation: str, reason: Reason, part: str
) -> None:
    check(response_error(code, status, operation, KEY, TARGET), reason, part)


@pytest.mark.parametrize(("exception", "reason", "part"), EXCEPTIONS)
def test_exception_has_a_reason_and_a_sentence(exception: Exception, reason: Reason, part: str) -> None:
    check(exception_error(exception, "PutObject", TARGET), reason, part)


def check(error: StoreError, reason: Reason, part: str) -> None:
    assert error.reason is reason
    assert part in error.sentence
    assert error.hint
    assert error.outcome_unknown is (reason is DOWN)
    assert error.exit_code is (ExitCode.SOME_FAILED if reason is DENIED else ExitCode.TEMPORARY)


PRINTED = re.compile(r"An error occurred \((\S+)\) when calling the (\w+) operation")


@pytest.mark.parametrize("cause", [*TABLE, UNKNOWN], ids=lambda cause: cause.example[:60])
def test_recorded_example_of_a_row_has_its_reason_and_its_sentence(cause: Cause) -> None:
    if found := PRINTED.match(cause.example):
        code, operation = found.groups()
        error = response_error(code, int(code) if code.isdigit() else 400, operation, KEY, TARGET)
    else:
        kind = getattr(problems, cause.example.partition(":")[0])
        error = exception_error(kind.__new__(kind), "PutObject", TARGET)
    assert error.reason is cause.reason
    assert cause.why.partition("{")[0] in error.sentence
    assert error.hint


def test_every_row_applies_to_some_answer() -> None:
    used = {cause_of([code], status, operation) for code, status, operation, _, _ in RESPONSES}
    used |= {cause_of([kind.__name__ for kind in type(error).__mro__], 0, "PutObject") for error, _, _ in EXCEPTIONS}
    assert used == {*TABLE, UNKNOWN}


def test_hint_names_the_missing_permission_and_its_resource() -> None:
    assert (
        "s3:ListBucket on arn:aws:s3:::wort-sra;"
        in response_error("AccessDenied", 403, "ListObjectsV2", "", TARGET).hint
    )
    assert (
        "s3:PutObject on arn:aws:s3:::wort-sra/mine/*"
        in response_error("AccessDenied", 403, "PutObject", KEY, TARGET).hint
    )
    read = response_error("AccessDenied", 403, "GetObject", KEY, TARGET)
    assert "s3:ListBucket" in read.hint
    unsigned = response_error("AccessDenied", 403, "GetObject", KEY, S3Target("wort-sra", unsigned=True))
    assert "not signed" in unsigned.hint


@pytest.mark.parametrize("code", ["<html>", "a" * 100, "x\ny", "https://host/?X-Amz-Signature=0123"])
def test_text_that_is_not_a_code_is_not_repeated(code: str) -> None:
    assert code not in response_error(code, 400, "PutObject", KEY, TARGET).sentence


def test_failure_contains_the_hint_only_if_the_reason_does_not_imply_it() -> None:
    assert response_error("503", 503, "PutObject", KEY, TARGET).failure.detail.count(";") == 0
    assert "arn:aws" in response_error("403", 403, "PutObject", KEY, TARGET).failure.detail


def test_response_without_an_etag_is_not_from_an_s3_server() -> None:
    with pytest.raises(StoreError, match="it is not from an S3 server") as caught:
        stored_object(KEY, {"Metadata": {}}, 1)
    assert caught.value.reason is Reason.STORAGE_DOWN
