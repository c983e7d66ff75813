"""HTTP for the locator and for archives: safe redirects, bounded time, no surprises in the bytes."""

import ssl
import time
from pathlib import Path

import pytest

from tests.support.archive_server import ArchiveServer, Fate
from tests.support.certificate import make_certificate
from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.connection_pools import proxy_for
from wort_cli.pipeline.archives.http import (
    HttpClient,
    HttpError,
    Timeouts,
    host_of,
    is_redirect_allowed,
    retry_after,
)
from wort_cli.system.cancellation import Cancellation, Cancelled

QUICK = Timeouts(connect=1.0, silence=1.0, total=3.0)


def get(url: str, timeouts: Timeouts = QUICK, cancellation: Cancellation | None = None) -> bytes:
    with HttpClient(timeouts) as client, client.request("GET", url, cancellation=cancellation or NEVER) as answer:
        return b"".join(answer.body)


NEVER = Cancellation(lambda: False)


def test_body_is_what_the_server_has() -> None:
    with ArchiveServer({"x": b"content" * 1000}).serving() as server:
        assert get(f"{server.url}/x") == b"content" * 1000


@pytest.mark.parametrize(
    ("first", "target", "allowed"),
    [
        ("https://a/x", "https://b/y", True),
        ("http://a/x", "https://b/y", True),
        ("http://a/x", "http://a/y", True),
        ("http://a:80/x", "http://a:8080/y", False),
        ("http://a/x", "http://b/y", False),
        ("https://a/x", "http://a/y", False),
        ("https://a/x", "ftp://a/y", False),
        ("https://a/x", "file:///etc/passwd", False),
        ("https://a/x", "https://user:secret@b/y", False),
        ("https://a/x", "https:///y", False),
    ],
)
def test_redirects_lead_to_https_or_stay_where_the_user_configured(first: str, target: str, allowed: bool) -> None:
    assert is_redirect_allowed(first, target) is allowed


def test_redirect_within_the_host_is_followed_and_one_to_another_host_is_not() -> None:
    server = ArchiveServer({"x": b"right", "y": b"elsewhere"})
    other = ArchiveServer({"x": b"wrong"})
    with server.serving(), other.serving():
        target = f"{server.url}/x"
        server.fate = lambda request: Fate(status=302, headers={"Location": target}) if request.path == "/y" else Fate()
        assert get(f"{server.url}/y") == b"right"
        target = f"{other.url}/x"
        with pytest.raises(HttpError, match="not https"):
            get(f"{server.url}/y")
        target = f"{server.url}/y"
        with pytest.raises(HttpError, match="more than 5 times"):
            get(f"{server.url}/y")
        assert not other.requests


FATES = {
    "silent": (Fate(silent=True), "does not answer"),
    "dies halfway": (Fate(cut=0.5), "broke off"),
    "gzip": (Fate(headers={"Content-Encoding": "gzip"}), "although nothing but bytes"),
    "drips": (Fate(drip=0.02), "took longer than"),
}


@pytest.mark.parametrize("case", FATES)
def test_server_that_fails_ends_in_an_error_within_the_time_limits(case: str) -> None:
    fate, words = FATES[case]
    server = ArchiveServer({"x": b"content" * 1000})
    server.fate = lambda request: fate
    started = time.monotonic()
    with server.serving(), pytest.raises(HttpError, match=words) as caught:
        get(f"{server.url}/x")
    assert caught.value.reason is Reason.NETWORK
    assert caught.value.detail.isprintable()
    assert time.monotonic() - started < 60


def test_host_that_is_not_there_is_named_without_its_path() -> None:
    with pytest.raises(HttpError) as caught:
        get("http://127.0.0.1:1/secret?signature=abc")
    assert "127.0.0.1:1" in caught.value.detail
    assert "secret" not in caught.value.detail.replace("signature", "")


def test_certificate_that_nobody_trusts_is_named(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    make_certificate(certificate, key, "localhost", "IP:127.0.0.1")
    server = ArchiveServer({"x": b"content"})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.wrap(context)
    with server.serving(), pytest.raises(HttpError, match=r"certificate of .* is not trusted"):
        get(server.url.replace("http:", "https:") + "/x")


def test_request_is_cancelled_while_the_body_arrives() -> None:
    server = ArchiveServer({"x": b"content" * 100_000}, rate=100_000)
    with server.serving(), pytest.raises(Cancelled):
        get(f"{server.url}/x", Timeouts(), Cancellation(lambda: server.sent > 50_000))


def test_proxy_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert proxy_for("https://a/x") == ""
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "localhost,.internal")
    assert proxy_for("https://a/x") == "http://proxy:3128"
    assert proxy_for("http://a/x") == ""
    assert proxy_for("https://b.internal/x") == ""
    monkeypatch.setenv("https_proxy", "proxy:3128")
    assert proxy_for("https://a/x") == "http://proxy:3128"


def test_request_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = ArchiveServer({"http://far.example/x": b"by the proxy"})
    with proxy.serving():
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert get("http://far.example/x") == b"by the proxy"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("1e9", 3600.0),
        ("nan", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 99 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert retry_after({"Retry-After": value}, now=100.0) == seconds


@pytest.mark.parametrize(
    ("url", "host"),
    [("https://h/x?secret=1", "h"), ("https://h:444/x", "h:444"), ("https://user:pw@h/x", "h"), ("nonsense", "?")],
)
def test_url_is_shown_by_its_host_alone(url: str, host: str) -> None:
    assert host_of(url) == host
