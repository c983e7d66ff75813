"""`wort serve` behind nginx and behind Caddy, as docs/serve.md configures them."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import polars
import pytest

from tests.support.homes import Home
from tests.support.reverse_proxies import caddy, nginx
from tests.support.served_home import DONE, ServedHome, make_served_home
from tests.support.web_server import WebServer, curl, serving
from wort_cli.ledger.ledger import Ledger

Proxy = Callable[[Path, int], AbstractContextManager[str]]
LARGE, SIZE = "SRR000051", 60_000_000
"""A signature of more bytes than a proxy keeps in memory."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with signatures, one of which is large."""
    home = Home(tmp_path_factory.mktemp("proxied") / "h")
    make_served_home(home.path)
    ledger = Ledger(home.ledger)
    ServedHome(home.path, ledger).record_large(LARGE, SIZE)
    ledger.close()
    yield home


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxied(
    request: pytest.FixtureRequest, served: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Proxied"]:
    """A proxy in front of a server, below /wort in the case of nginx."""
    proxy, root = {"nginx": (nginx, "/wort"), "caddy": (caddy, "")}[request.param]
    with (
        serving(served, "--behind-proxy", "--read-only", "--root-path", root) as server,
        proxy(tmp_path_factory.mktemp(request.param), int(server.url.removesuffix(root).rpartition(":")[2])) as url,
    ):
        yield Proxied(server, url, root)


class Proxied:
    """A server behind a proxy."""

    def __init__(self, server: WebServer, origin: str, root: str) -> None:
        self.server, self.origin, self.root = server, origin, root
        self.url = origin + root


def test_redirect_and_links_stay_below_the_root_path(proxied: Proxied, served: Home) -> None:
    answer = httpx.get(f"{proxied.url}/v1/view/sra/{DONE}")
    assert (answer.status_code, answer.headers["location"]) == (302, f"{proxied.root}/wort-sra/sigs/{DONE}.sig")
    done = curl(served.cwd, f"{proxied.url}/v1/view/sra/{DONE}", "-Lf")
    assert done.body == served.signature_file(DONE).read_bytes()
    page = httpx.get(f"{proxied.url}/view/sra/{DONE}/")
    assert page.status_code == 200
    assert f'href="{proxied.root}/queue"' in page.text
    assert f"{proxied.url}/v1/view/sra/{DONE}" in page.text


def test_client_is_the_one_that_the_proxy_names(proxied: Proxied) -> None:
    forged = {"X-Forwarded-For": "6.6.6.6"}
    httpx.get(f"{proxied.url}/v1/status/{DONE}?proxy", headers=forged)
    assert proxied.server.logged(f"{proxied.root}/v1/status/{DONE}")["client"] == "127.0.0.1"


def test_ranges_head_and_conditions_pass_through(proxied: Proxied, served: Home) -> None:
    url, stored = f"{proxied.url}/wort-sra/sigs/{DONE}.sig", served.signature_file(DONE).read_bytes()
    head = httpx.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(stored)))
    assert (head.headers["content-encoding"], head.headers["content-type"]) == ("gzip", "application/json")
    assert head.headers["etag"] == f'"{hashlib.sha256(stored).hexdigest()}"'
    with httpx.stream("GET", url, headers={"Range": "bytes=10-99", "Accept-Encoding": "identity"}) as part:
        assert (part.status_code, b"".join(part.iter_raw())) == (206, stored[10:100])
    assert httpx.get(url, headers={"If-None-Match": head.headers["etag"]}).status_code == 304


def test_large_file_is_the_same_through_the_proxy(proxied: Proxied, served: Home) -> None:
    made = hashlib.sha256()
    with httpx.stream("GET", f"{proxied.url}/wort-sra/sigs/{LARGE}.sig", timeout=120) as answer:
        assert answer.headers["content-length"] == str(SIZE)
        for part in answer.iter_raw():
            made.update(part)
    assert f'"{made.hexdigest()}"' == answer.headers["etag"]


def test_manifest_can_be_read_by_ranges(proxied: Proxied) -> None:
    rows = polars.scan_parquet(f"{proxied.url}/wort-sra/SOURMASH-MANIFEST.parquet").select("name").unique().collect()
    assert DONE in rows["name"]


def test_events_arrive_at_once(proxied: Proxied, served: Home) -> None:
    with httpx.stream("GET", f"{proxied.url}/v1/events", timeout=60) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 3000"
        served("compute", "SRR000061").expect(0)
        data = next(line for line in lines if line.startswith("data: ") and "SRR000061" in line)
        assert json.loads(data.removeprefix("data: "))["state"] == "queued"
        served("cancel", "SRR000061").expect(0)
