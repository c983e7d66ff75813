"""What a server's answer means for a job, and what is said of it."""

import pytest

from wort_cli.errors import ExitCode
from wort_cli.model.failure import Reason
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.s3_errors import response_error

TARGET = S3Target("wort-sra", "mine/")
KEY = "sigs/SRR139146.sig"


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("AccessDenied", 403, "the permission s3:PutObject is missing"),
        ("403", 403, "the permission s3:PutObject is missing"),
        ("SignatureDoesNotMatch", 403, "the secret key is not the one of the access key"),
        ("InvalidAccessKeyId", 403, "does not know the access key"),
        ("ExpiredToken", 400, "have expired"),
        ("NoSuchBucket", 404, "there is no bucket wort-sra"),
        ("PermanentRedirect", 301, "another region"),
        ("AuthorizationHeaderMalformed", 400, "another region"),
        ("EntityTooLarge", 400, "EntityTooLarge"),
    ],
)
def test_what_a_person_must_mend(code: str, status: int, said: str) -> None:
    trouble = response_error(code, status, "PutObject", KEY, TARGET)
    assert trouble.reason is Reason.STORAGE_DENIED
    assert trouble.exit_code is ExitCode.SOME_FAILED
    assert said in trouble.sentence
    assert trouble.hint
    assert not trouble.outcome_unknown


@pytest.mark.parametrize(
    ("code", "status"),
    [("SlowDown", 503), ("503", 503), ("InternalError", 500), ("RequestTimeout", 400), ("TooMany", 429), ("", 502)],
)
def test_what_passes(code: str, status: int) -> None:
    trouble = response_error(code, status, "PutObject", KEY, TARGET)
    assert trouble.reason is Reason.STORAGE_DOWN
    assert trouble.exit_code is ExitCode.TEMPORARY
    assert trouble.outcome_unknown


def test_a_missing_permission_is_named_with_its_place() -> None:
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
def test_what_is_no_code_is_not_repeated(code: str) -> None:
    assert code not in response_error(code, 400, "PutObject", KEY, TARGET).sentence


def test_what_a_job_stores_has_the_hint_only_if_it_is_of_the_case() -> None:
    assert response_error("503", 503, "PutObject", KEY, TARGET).failure.detail.count(";") == 0
    assert "arn:aws" in response_error("403", 403, "PutObject", KEY, TARGET).failure.detail


def test_a_wrong_clock_is_waited_for() -> None:
    trouble = response_error("RequestTimeTooSkewed", 403, "PutObject", KEY, TARGET)
    assert trouble.reason is Reason.STORAGE_DOWN
    assert "the clock of this machine is wrong" in trouble.sentence
    assert "NTP" in trouble.hint
