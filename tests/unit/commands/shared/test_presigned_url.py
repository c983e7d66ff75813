"""A presigned URL promises no more time than the credentials have."""

import pytest

from wort_cli.commands.shared.presigned_url import shortened
from wort_cli.errors import UsageError

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
