"""Tests of the addresses at which a server may listen."""

from pathlib import Path

import pytest

from wort_cli.errors import NoSuchFile, UsageError
from wort_cli.web.options import ServeOptions


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_encryption(host: str) -> None:
    assert ServeOptions(host).host == host


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.1", "example.org", "localhost.example.org", "2130706433"]
)
def test_other_addresses_are_refused_unless_encrypted(host: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not be encrypted"):
        ServeOptions(host)
    assert ServeOptions(host, behind_proxy=True).host == host
    (tmp_path / "x").touch()
    assert ServeOptions(host, tls_certificate=tmp_path / "x", tls_key=tmp_path / "x").has_tls


def test_certificate_needs_its_key(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(UsageError, match="belong together"):
        ServeOptions(tls_certificate=tmp_path / "x")
    with pytest.raises(NoSuchFile):
        ServeOptions(tls_certificate=tmp_path / "x", tls_key=tmp_path / "y")


@pytest.mark.parametrize("path", ["wort", "/", "/a/", "/a\r\nX: y", "//example.org", "/../x y"])
def test_root_path_must_be_a_path(path: str) -> None:
    with pytest.raises(UsageError, match="not a root path"):
        ServeOptions(root_path=path)


def test_url_has_brackets_around_an_ipv6_address() -> None:
    assert ServeOptions("::1", root_path="/wort").url(80) == "http://[::1]:80/wort/"
