"""Servers that are silent, close connections, or answer wrongly or slowly: the result of a fetch, and its time.

One table has what a server can do wrong.  Each row is tried with one server (there is a reason, in time) and with a
second location (the archive is obtained), and, where it makes sense, with the locator instead.
"""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.archive_server import ArchiveServer, Fate, Request
from tests.support.certificate import make_certificate
from tests.unit.pipeline.archives.test_obtain import DATA, READ, RUN
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives import fetch
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.http import HttpClient, Timeouts
from wort_cli.pipeline.archives.obtain import Obtained, Obtainer
from wort_cli.pipeline.archives.offer import Wish
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.system.cancellation import NEVER

QUICK = Timeouts(connect=1.0, silence=0.4, total=2.5)
LONGEST = 60.0
"""Seconds; a request may take `total` seconds, a location is left after three, and this machine may be busy."""


@dataclass(frozen=True)
class Bad:
    """The fault of a server, and the reason if it is not the usual one."""

    fate: Callable[[Request], Fate]
    reason: Reason | None = Reason.NETWORK
    """None if that is harmless."""
    locator: Reason | None = Reason.NETWORK
    """The reason if the locator does it; None if that is harmless."""
    message: str = ""
    """A part of the detail."""


def expired(request: Request) -> Fate:
    """A signed URL ends to be good while the archive is fetched."""
    return Fate(status=403) if request.number > 2 else Fate()


BAD = {
    "silent": Bad(lambda r: Fate(silent=True), message="does not answer"),
    "dies halfway": Bad(lambda r: Fate(cut=0.0), message="broke off"),
    "stalls halfway": Bad(lambda r: Fate(cut=0.5, stall=True) if r.last > READ.offset or r.last < 0 else Fate()),
    "page of HTML with 200": Bad(lambda r: Fate(status=200)),
    "403": Bad(lambda r: Fate(status=403), message="403"),
    "404": Bad(lambda r: Fate(status=404), Reason.NO_DATA, message="404"),
    "429": Bad(lambda r: Fate(status=429), Reason.RATE_LIMITED, Reason.RATE_LIMITED, "fewer requests"),
    "503": Bad(lambda r: Fate(status=503), message="503"),
    "redirect to another host": Bad(
        lambda r: Fate(status=302, headers={"Location": "http://127.0.0.2:1/x"}), message="not https"
    ),
    "redirects without end": Bad(lambda r: Fate(status=302, headers={"Location": r.path}), message="redirects"),
    "no Content-Length": Bad(lambda r: Fate(without=("Content-Length",)), None, None),
    "ignores ranges": Bad(lambda r: Fate(status=200, body=DATA)),
    "signed URL that expires half way": Bad(expired, locator=None, message="403"),
    "one byte at a time": Bad(lambda r: Fate(drip=0.2)),
    "not HTTP": Bad(lambda r: Fate(noise=b"\x16\x03\x01\x02\x00" * 20)),
    "hangs up": Bad(lambda r: Fate(noise=b"")),
}


@pytest.fixture(autouse=True)
def _soon_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MIN_RATE_AFTER", 1.0)


def obtain(root: Path, locator: str, mirrors: tuple[str, ...] = ()) -> Obtained:
    """Obtain the archive of RUN, and check its bytes."""
    started = time.monotonic()
    try:
        with HttpClient(QUICK) as client:
            wish = Wish(RUN, FASTQ_DUMP, locator_url=locator, mirrors=mirrors)
            politeness = Politeness(root / "rates", pause=30.0)
            obtained = Obtainer(client, politeness, NEVER, lambda text: None).obtain(wish, root / "archive")
    finally:
        assert time.monotonic() - started < LONGEST
    content = obtained.path.read_bytes()
    assert content[READ.offset : READ.end] == DATA[READ.offset : READ.end]
    return obtained


def failure(root: Path, locator: str, mirrors: tuple[str, ...] = ()) -> tuple[Reason, str]:
    """Return why there is no archive."""
    with pytest.raises(JobFailed) as failed:
        obtain(root, locator, mirrors)
    assert failed.value.failure.detail.isprintable()
    return failed.value.failure.reason, failed.value.failure.detail


@pytest.mark.parametrize("case", BAD)
def test_location_is_left_for_another_or_there_is_a_reason(tmp_path: Path, case: str) -> None:
    bad, good = ArchiveServer({RUN: DATA}), ArchiveServer({RUN: DATA})
    bad.fate = BAD[case].fate
    with bad.serving(), good.serving():
        places = [f"{bad.url}/{RUN}"]
        good.locator = lambda run: good.described(run, *places)
        good.fate = lambda request: Fate()
        if BAD[case].reason is None:
            assert obtain(tmp_path / "1", good.url).proof.identified
        else:
            reason, detail = failure(tmp_path / "1", good.url)
            assert reason is BAD[case].reason
            assert BAD[case].message in detail
        places.append(f"{good.url}/{RUN}")
        assert obtain(tmp_path / "2", good.url).proof.identified


@pytest.mark.parametrize("case", BAD)
def test_locator_that_fails_is_replaced_by_a_mirror_or_there_is_a_reason(tmp_path: Path, case: str) -> None:
    """After a 429 of the locator, nobody asks anything for a while."""
    server = ArchiveServer({RUN: DATA})
    server.fate = lambda request: BAD[case].fate(request) if request.method == "POST" else Fate()
    expected = BAD[case].locator
    with server.serving():
        if expected is None:
            assert obtain(tmp_path, server.url).proof.identified
            return
        assert failure(tmp_path / "1", server.url)[0] is expected
        if expected is Reason.RATE_LIMITED:
            return
        assert not obtain(tmp_path / "2", server.url, (f"{server.url}/{{run}}",)).proof.identified


def test_captive_portal_is_named(tmp_path: Path) -> None:
    portal = ArchiveServer({RUN: DATA})
    portal.fate = lambda request: Fate(status=200)
    with portal.serving():
        reason, detail = failure(tmp_path, portal.url, (f"{portal.url}/{{run}}",))
    assert reason is Reason.NETWORK
    assert "does this network need a login?" in detail


def test_locator_whose_certificate_nobody_trusts_is_named(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    make_certificate(certificate, key, "localhost", "IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ArchiveServer({RUN: DATA})
    server.wrap(context)
    with server.serving():
        reason, detail = failure(tmp_path, server.url.replace("http:", "https:"))
    assert reason is Reason.NETWORK
    assert "certificate" in detail
    assert "not trusted" in detail
