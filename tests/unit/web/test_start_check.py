"""A server that others can reach starts only if somebody may use it."""

from dataclasses import replace
from pathlib import Path

import pytest

from wort_cli.errors import UsageError
from wort_cli.settings import Settings, load_settings
from wort_cli.web.access_file import AccessFile, Right, parse_rights
from wort_cli.web.options import ServeOptions
from wort_cli.web.start_check import check_start

NOW = 1_800_000_000.0
OPEN, CLOSED = "open", "token"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings({"WORT_HOME": str(tmp_path / "home")})
    made.make_directories()
    return made


@pytest.mark.parametrize(
    ("reading", "read_only", "may", "words"),
    [
        (OPEN, False, "", "it has no token"),
        (OPEN, False, "read", "it has no token"),
        (OPEN, False, "submit", ""),
        (OPEN, False, "pause", ""),
        (OPEN, True, "", ""),
        (CLOSED, True, "", "no token has the right `read`"),
        (CLOSED, True, "compute", "no token has the right `read`"),
        (CLOSED, True, "read", ""),
        (CLOSED, False, "read", "it has no token"),
        (CLOSED, False, "read,compute", ""),
    ],
)
@pytest.mark.parametrize("kind", ["token", "user"])
def test_address_that_others_reach_needs_somebody_who_may_use_it(
    settings: Settings, reading: str, read_only: bool, may: str, words: str, kind: str
) -> None:
    settings = replace(settings, serve_reading=reading)
    access = AccessFile(settings.access_file)
    if may and kind == "token":
        access.add("lab", parse_rights(may))
    elif may:
        access.set_password("ann", "correct horse", parse_rights(may))
    public = ServeOptions("0.0.0.0", read_only=read_only, behind_proxy=True)
    if words:
        with pytest.raises(UsageError, match=words) as refused:
            check_start(settings, public, NOW)
        assert "wort token add" in refused.value.hint
    else:
        assert check_start(settings, public, NOW) == ""
    behind_proxy = check_start(settings, ServeOptions(read_only=read_only, behind_proxy=True), NOW)
    assert (words in behind_proxy) if words else behind_proxy == ""
    assert check_start(settings, ServeOptions(read_only=read_only), NOW) == ""


def test_expired_token_does_not_count(settings: Settings) -> None:
    AccessFile(settings.access_file).add("lab", (Right.COMPUTE,), seconds=1.0)
    with pytest.raises(UsageError, match="it has no token"):
        check_start(settings, ServeOptions("::", behind_proxy=True), NOW * 2)
