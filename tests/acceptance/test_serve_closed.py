"""`wort serve` with closed reading: everything needs a token with the right `read`, or a sign-in."""

import contextlib
import gzip
from collections.abc import Iterator

import httpx
import pytest

from tests.support.homes import Home
from tests.support.served_home import DONE, GROUP, served_home
from tests.support.web_server import WebServer, serving
from wort_cli.web.app import all_routes
from wort_cli.web.reading import UNGUARDED

CLOSED = {"WORT_SERVE_READING": "token"}
OPEN_PATHS = {"/sign-in", "/v1/ui", "/health", "/v1/openapi.json", "/v1/openapi.yaml", "/robots.txt", "/static/{name}"}
VALUES = {
    "job:job": "1",
    "database": "sra",
    "dataset": DONE,
    "run": DONE,
    "id": DONE,
    "name": DONE,
    "group": GROUP,
    "task": "x",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with served_home(tmp_path_factory.mktemp("closed") / "h") as home:
        yield home


@pytest.fixture(scope="module")
def server(world: Home) -> Iterator[WebServer]:
    with serving(world, env=CLOSED) as running:
        yield running


def secret_of(home: Home, name: str, *options: str) -> str:
    return home("token", "add", name, *options).expect(0).out.strip()


@pytest.fixture(scope="module")
def reader(world: Home) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret_of(world, 'reader', '--may', 'read')}"}


def reads() -> list[tuple[str, str]]:
    """The method and the path of every route that only shows something."""
    found = []
    for route in all_routes():
        if route.endpoint not in UNGUARDED:  # type: ignore[attr-defined]
            method = "POST" if "POST" in (route.methods or ()) else "GET"  # type: ignore[attr-defined]
            found.append((method, route.path))  # type: ignore[attr-defined]
    return found


def filled(path: str) -> str:
    for name, value in VALUES.items():
        path = path.replace(f"{{{name}}}", value).replace(f"{{{name}:path}}", value)
    return path


@pytest.mark.parametrize(("method", "path"), reads())
def test_route_is_closed_without_a_token(method: str, path: str, server: WebServer, world: Home) -> None:
    other = secret_of(world, f"no-{abs(hash((method, path)))}", "--may", "compute")
    url = server.url + filled(path)
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Cookie": "wort-session=wrong"}, 401),
        ({"Authorization": "Basic eDp5"}, 401),
        ({"Authorization": f"Bearer {other}"}, 403),
    ):
        answer = httpx.request(method, url, headers=headers)
        assert answer.status_code == status, (headers, answer.text)
        assert DONE not in answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_every_other_route_needs_a_right_or_shows_nothing() -> None:
    """A new route is closed, or is here."""
    unguarded = {(method, r.path) for r in all_routes() if r.endpoint in UNGUARDED for method in r.methods or ()}  # type: ignore[attr-defined]
    assert {path for method, path in unguarded if method == "GET"} == OPEN_PATHS


def test_unguarded_routes_say_nothing_of_the_home(server: WebServer) -> None:
    assert httpx.get(f"{server.url}/health").json() == {"status": "ok"}
    for path in ("/robots.txt", "/v1/openapi.json", "/static/style.css"):
        answer = httpx.get(server.url + path)
        assert answer.status_code == 200
        assert DONE not in answer.text
    for path in (f"/v1/compute/sra/{DONE}", "/v1/compute", f"/v1/submit/sra/{DONE}", "/v1/auth/tokens"):
        assert httpx.post(server.url + path).status_code == 401


def test_token_with_the_right_reads_everything(server: WebServer, reader: dict[str, str]) -> None:
    assert httpx.get(f"{server.url}/v1/view/sra/{DONE}", headers=reader).status_code == 302
    with httpx.stream("GET", f"{server.url}/wort-sra/sigs/{DONE}.sig", headers=reader) as file:
        assert gzip.decompress(b"".join(file.iter_raw())).startswith(b"[{")
    for path in ("/", "/queue", f"/view/sra/{DONE}/", "/v1/jobs", "/metrics", f"/v1/status/{DONE}"):
        answer = httpx.get(server.url + path, headers=reader)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] in ("private, no-cache", "no-store")
        assert "Authorization, Cookie" in answer.headers["vary"]
        assert "access-control-allow-origin" not in answer.headers
    assert httpx.get(f"{server.url}/health", headers=reader).json()["daemon"]


def test_person_signs_in_and_reads(server: WebServer, world: Home) -> None:
    secret = secret_of(world, "person", "--may", "read")
    with httpx.Client(base_url=server.url, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}) as browser:
        assert browser.get("/queue").status_code == 401
        assert browser.get("/sign-in").status_code == 200
        assert browser.post("/sign-in", data={"token": secret, "to": "/queue"}).status_code == 303
        assert browser.get("/queue").status_code == 200
        assert browser.get("/v1/jobs").status_code == 200
        assert browser.post(f"/v1/compute/sra/{DONE}").status_code == 401  # a cookie changes nothing there
        world("token", "revoke", "person").expect(0)
        assert browser.get("/queue").status_code == 401


def test_browser_gets_a_page(server: WebServer) -> None:
    answer = httpx.get(f"{server.url}/queue", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert 'href="/sign-in?to=/queue">Sign in</a>' in answer.text


def test_revoked_token_reads_no_more(server: WebServer, world: Home) -> None:
    headers = {"Authorization": f"Bearer {secret_of(world, 'gone', '--may', 'read')}"}
    assert httpx.get(f"{server.url}/v1/jobs", headers=headers).status_code == 200
    world("token", "revoke", "gone").expect(0)
    assert httpx.get(f"{server.url}/v1/jobs", headers=headers).status_code == 401


def test_stream_of_events_ends_when_its_token_is_revoked(server: WebServer, world: Home) -> None:
    first, second, third = (secret_of(world, name, "--may", "read") for name in ("first", "second", "stays"))
    with contextlib.ExitStack() as stack:

        def opened(client: httpx.Client, **headers: str) -> Iterator[bytes]:
            answer = stack.enter_context(client.stream("GET", "/v1/events", headers=headers, timeout=60))
            chunks = answer.iter_raw()
            assert next(chunks).startswith(b"retry:")
            return chunks

        def client() -> httpx.Client:
            return stack.enter_context(httpx.Client(base_url=server.url))

        browser = client()
        form = {"token": second, "to": "/queue"}
        signed_in = browser.post(
            "/sign-in", data=form, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        )
        assert signed_in.status_code == 303
        streams = [opened(client(), Authorization=f"Bearer {first}"), opened(browser)]
        other = opened(client(), Authorization=f"Bearer {third}")
        for name in ("first", "second"):
            world("token", "revoke", name).expect(0)
        for chunks in streams:
            assert not [chunk for chunk in chunks if not chunk.startswith(b":")], "it ends, maybe after a comment"
        world("compute", "SRR7777777").expect(0)
        assert any(b"SRR7777777" in chunk for chunk in other), "the other stream continues"
