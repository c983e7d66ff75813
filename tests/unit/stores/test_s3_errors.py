"""The reason, the message and the hint for each error response of an S3 server."""

import pytest

from wort_cli.errors import ExitCode
from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import StoreError
from wort_cli.stores.s3 import stored_object
from wort_cli.stores.s3_errors import response_error

TARGET = S3Target("wort-sra", "mine/")
KEY = "sigs/SRR139146.sig"


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("AccessDenied", 403, "the permission s3:PutObject is missing"),
        ("403", 403, "the permission s3:PutObject is missing"),
        ("SignatureDoesNotMatch", 403, "the secret key does not belong to the access key"),
        ("InvalidAccessKeyId", 403, "does not know the access key"),
        ("ExpiredToken", 400, "have expired"),
        ("NoSuchBucket", 404, "there is no bucket wort-sra"),
        ("PermanentRedirect", 301, "another region"),
        ("AuthorizationHeaderMalformed", 400, "another region"),
        ("EntityTooLarge", 400, "EntityTooLarge"),
    ],
)
def test_permanent_error_is_storage_denied(code: str, status: int, message: str) -> None:
    error = response_error(code, status, "PutObject", KEY, TARGET)
    assert error.reason is Reason.STORAGE_DENIED
    assert error.exit_code is ExitCode.SOME_FAILED
    assert message in error.sentence
    assert error.hint
    assert not error.outcome_unknown


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("SlowDown", 503),
        ("503", 503),
        ("InternalError", 500),
        ("RequestTimeout", 400),
        ("BadDigest", 400),
        ("TooMany", 429),
        ("", 502),
    ],
)
def test_transient_error_is_storage_down(code: str, status: int) -> None:
    error = response_error(code, status, "PutObject", KEY, TARGET)
    assert error.reason is Reason.STORAGE_DOWN
    assert error.exit_code is ExitCode.TEMPORARY
    assert error.outcome_unknown


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


def test_wrong_clock_is_transient() -> None:
    error = response_error("RequestTimeTooSkewed", 403, "PutObject", KEY, TARGET)
    assert error.reason is Reason.STORAGE_DOWN
    assert "the clock of this machine is wrong" in error.sentence
    assert "NTP" in error.hint


@pytest.mark.parametrize("missing", ["ContentLength", "ETag"])
def test_response_that_s3_would_not_give_is_a_temporary_error(missing: str) -> None:
    response = {"ContentLength": 1, "ETag": '"a"', "Metadata": {}}
    del response[missing]
    with pytest.raises(StoreError, match="it is not from an S3 server") as caught:
        stored_object(KEY, response)
    assert caught.value.reason is Reason.STORAGE_DOWN
