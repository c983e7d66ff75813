"""A presigned URL promises no more time than the credentials have."""

from urllib.parse import parse_qs, urlsplit

import pytest

from wort_cli.commands.shared.viewing.presigned_url import shortened
from wort_cli.errors import UsageError
from wort_cli.model.s3_target import S3Target
from wort_cli.stores.s3 import S3Store

DAY = 86_400


@pytest.mark.parametrize(
    ("credentials_end", "seconds", "notice"),
    [
        (None, DAY, ""),
        (1000.0 + 2 * DAY, DAY, ""),
        (1000.0 + 1200, 1200, "because the credentials end then"),
        (0.0, DAY, "the credentials are temporary"),
    ],
)
def test_url_ends_with_the_credentials(
    credentials_end: float | None, seconds: int, notice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shortened(DAY, credentials_end, 1000.0) == seconds
    said = capsys.readouterr().err
    assert notice in said
    assert bool(said) == bool(notice)


def test_expired_credentials_give_no_url() -> None:
    with pytest.raises(UsageError, match="have expired"):
        shortened(DAY, 999.0, 1000.0)


@pytest.mark.parametrize(("region", "signed_for"), [("", "us-east-1"), ("eu-central-1", "eu-central-1")])
@pytest.mark.parametrize("endpoint", ["", "https://s3.example.org"])
def test_url_is_always_signed_with_version_4(
    region: str, signed_for: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore would sign with version 2 in the default region."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    store = S3Store(S3Target("wort-sra", region=region, endpoint=endpoint))
    query = parse_qs(urlsplit(store.presigned_url("sigs/SRR000001.sig", 60, "SRR000001.sig")).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Credential"][0].split("/")[2] == signed_for
    assert query["X-Amz-Expires"] == ["60"]
