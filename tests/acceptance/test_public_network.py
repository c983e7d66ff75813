"""Only public URLs are requested: in a network with public and private addresses, and misbehaving servers."""

import re
from typing import Any

import pytest

from tests.support.homes import WORT, Home
from tests.support.public_network import CASES, SECONDS, enter
from tests.support.submissions import valid_signature

LONGER = 60.0
"""Seconds by which a limit may be exceeded on a busy machine; without the limit, the servers would take longer."""
COMMANDS: dict[str, tuple[str, ...]] = {
    "good": ("submit", "http://public.example/good.sig", "--no-verify"),
    "packed": ("submit", "http://public.example/packed.sig", "--no-verify"),
    "chunked": ("submit", "http://public.example/chunked.sig", "--no-verify"),
    "redirected": ("submit", "http://public.example/to/good.sig", "--no-verify"),
    "to private": ("submit", "http://public.example/to-private", "--no-verify"),
    "private": ("submit", "http://127.0.0.1/secret", "--no-verify"),
    "page": ("submit", "http://public.example/page.sig", "--no-verify"),
    "not there": ("submit", "http://public.example/404", "--no-verify"),
    "dripping": ("submit", "http://public.example/drip.sig", "--no-verify"),
    "endless": ("submit", "http://public.example/endless.sig", "--no-verify"),
    "cut short": ("submit", "http://public.example/short.sig", "--no-verify"),
    "data at a URL": ("submit", "SIGNATURE", "--url", "http://public.example/ok", "--no-verify"),
    "data at a private URL": ("submit", "SIGNATURE", "--url", "http://10.0.0.1/x", "--no-verify"),
    "data nowhere": ("submit", "SIGNATURE", "--url", "http://public.example/404", "--no-verify"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outcomes of all cases and commands; the network is created once."""
    home = Home(tmp_path_factory.mktemp("net") / "h")
    signature = home.cwd / "other.sig"
    signature.write_bytes(valid_signature().replace(b'"SRR000001"', b'"a genome"'))
    commands = [
        [str(WORT), *(str(signature) if word == "SIGNATURE" else word for word in words)] for words in COMMANDS.values()
    ]
    settings = {
        "WORT_ENA_URL": "off",
        "WORT_NCBI_URL": "off",
        "WORT_URL_TIMEOUT": "3",
        "WORT_SUBMIT_SIZE": "5000000",
    }
    result = enter(commands, {**home.env, **settings})
    result["submissions"] = home.select("SELECT name, url, source_check, origin FROM submissions ORDER BY rowid")
    result["files"] = home.signature_files()
    return result


@pytest.mark.parametrize("case", CASES)
def test_url_is_checked(case: str, found: dict[str, Any]) -> None:
    _, wanted = CASES[case]
    result = found["cases"][case]
    assert re.search(wanted, result["outcome"]), result
    assert result["outcome"].isprintable()
    assert result["seconds"] < SECONDS + LONGER


def test_private_server_was_never_requested(found: dict[str, Any]) -> None:
    assert found["secret"] == []
    assert "GET public.example /no-head" not in found["seen"]  # by its address, with the address as Host
    assert "HEAD 8.8.4.4 /no-head" in found["seen"]
    assert "GET 8.8.4.4 /no-head" in found["seen"]
    assert not any("other.example" in request for request in found["seen"])


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("good", 0, ""),
        ("packed", 0, ""),
        ("chunked", 0, ""),
        ("redirected", 0, ""),
        ("to private", 6, "this machine"),
        ("private", 6, "this machine"),
        ("page", 6, "a page of HTML"),
        ("not there", 6, "status 404"),
        ("dripping", 75, "within 3 seconds"),
        ("endless", 6, "larger than 5,000,000 bytes"),
        ("cut short", 75, "too early"),
        ("data at a URL", 0, ""),
        ("data at a private URL", 6, "private"),
        ("data nowhere", 6, "status 404"),
    ],
)
def test_signature_at_a_url_is_submitted_or_refused(
    command: str, code: int, message: str, found: dict[str, Any]
) -> None:
    done = found["commands"][list(COMMANDS).index(command)]
    assert done["code"] == code, done
    assert message in done["err"]
    assert all(c.isprintable() or c in "\n\t" for c in done["err"] + done["out"])
    assert done["seconds"] < 3 + LONGER


def test_only_valid_submissions_were_stored(found: dict[str, Any]) -> None:
    (run, of_run), (digest, of_url) = ((row[0], row[1:]) for row in found["submissions"])
    assert (run, of_run) == ("SRR000001", ("", "not checked", "http://public.example/good.sig"))
    assert len(digest) == 16
    assert of_url[:2] == ("http://public.example/ok", "public")
    assert len(found["files"]) == 2
