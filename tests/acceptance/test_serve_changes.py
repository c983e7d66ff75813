"""Changes through `wort serve`: tokens, computations and submissions, as clients request them."""

import gzip
import json
from collections.abc import Iterator

import httpx
import pytest

from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf
from tests.support.submissions import document, text
from tests.support.web_server import WebServer, curl, serving

RUN, OTHER = "SRR000001", "SRR1546102"
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("changes") / "h")
    made("token", "password", "ann", stdin=f"{PASSWORD}\n").expect(0)
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(world: Home) -> Iterator[WebServer]:
    with serving(world) as running:
        yield running


def token_of(home: Home, name: str, *options: str) -> dict[str, str]:
    secret = home("token", "add", name, *options).expect(0).out.strip()
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture(scope="module")
def allowed(world: Home) -> dict[str, str]:
    return token_of(world, "lab")


def form(content: bytes) -> dict[str, tuple[str, bytes]]:
    return {"file": ("x.sig", content)}


# ---- computations


def test_compute_enqueues_a_run_once(world: Home, server: WebServer, allowed: dict[str, str]) -> None:
    run = "SRR1546103"
    url = f"{server.url}/v1/compute/sra/{run}"
    first, second = (httpx.post(url, headers=allowed) for _ in range(2))
    assert (first.status_code, first.headers["content-type"]) == (202, "application/json")
    assert first.text.startswith('{"status":"Submitted","task_id":"') and first.text.endswith('"}\n')
    assert second.text == first.text
    again = httpx.post(url, headers=allowed, params={"recompute": "true"})
    assert again.text == first.text
    assert [job.name for job in world.jobs()].count(run) == 1
    assert "the token lab" in world("logs", run, "--all").expect(0).out


def test_signature_that_exists_is_computed_again_only_if_asked(home: Home, shelf: Shelf) -> None:
    home.keep(RUN, shelf.archive())
    home("compute", RUN, "--now").expect(0)
    allowed = token_of(home, "lab")
    with serving(home) as server:
        url = f"{server.url}/v1/compute/sra/{RUN}"
        for query in ("", "?recompute=false"):
            answer = httpx.post(url + query, headers=allowed)
            assert (answer.status_code, answer.text) == (202, '{"status":"Signature already calculated"}\n')
        assert len(home.jobs()) == 1
        assert httpx.post(f"{url}?recompute=true", headers=allowed).json()["status"] == "Submitted"
        assert [job.state for job in home.jobs()] == ["done", "queued"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("sra/SRR1", 400, r"'SRR1' does not match '^\\w{3}\\d{6,9}$'"),
        ("sra/srr000001", 400, "is not the accession of a run"),
        ("sra/XYZ000001", 400, "is not the accession of a run"),
        ("sra/SRR154610281", 202, ""),
        (f"sra/{OTHER}?recompute=banana", 400, "Wrong type, expected 'boolean' for query parameter 'recompute'"),
        ("sra/SRR000001;ls", 400, "does not match"),
        ("sra/SRR００００01", 400, "does not match"),
        ("img/SRR000001", 404, "not found"),
    ],
)
def test_compute_refuses_what_is_no_run(
    path: str, status: int, words: str, server: WebServer, allowed: dict[str, str]
) -> None:
    answer = httpx.post(f"{server.url}/v1/compute/{path}", headers=allowed)
    assert answer.status_code == status
    if status != 202:
        assert words in answer.json()["detail"]
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.text.startswith('{\n  "detail": ')


def test_run_that_is_unavailable_has_a_reason(world: Home, server: WebServer, allowed: dict[str, str]) -> None:
    world(
        "compute",
        "SRR000404",
        "--now",
        env={"WORT_DOWNLOAD": "columns", "WORT_LOCATOR_URL": "off", "WORT_MIRRORS": "off"},
    )
    answer = httpx.post(f"{server.url}/v1/compute/sra/SRR000404", headers=allowed)
    job = world.job("SRR000404")
    if job.state == "unavailable":
        assert (answer.status_code, answer.json()["reason"]) == (404, job.reason)
    assert answer.json()["status"]


# ---- who may do what


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "No authorization token provided"),
        ("x", "Invalid authorization header"),
        ("Bearer wrong", "Provided token is not valid"),
        ("Bearer " + "x" * 3000, "Provided token is not valid"),
        ("Digest x", "No authorization token provided"),
    ],
)
def test_compute_without_a_token_is_refused_before_anything_else(
    header: str | None, detail: str, server: WebServer
) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in ("compute/sra/nonsense?recompute=banana", "submit/nonsense/nonsense"):
        answer = httpx.post(f"{server.url}/v1/{path}", headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (401, detail)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "www-authenticate" not in answer.headers


def test_token_allows_only_what_it_says(world: Home, server: WebServer) -> None:
    only = token_of(world, "only-submit", "--may", "submit")
    answer = httpx.post(f"{server.url}/v1/compute/sra/{OTHER}", headers=only)
    assert (answer.status_code, answer.json()["reason"]) == (403, "not-allowed")


def test_expired_and_revoked_tokens_are_refused_with_401(world: Home, server: WebServer) -> None:
    short = token_of(world, "short", "--expires", "1s")
    url = f"{server.url}/v1/compute/sra/{OTHER}"
    until(lambda: httpx.post(url, headers=short).status_code == 401, "the token expires", pause=0.2)
    gone = token_of(world, "gone")
    assert httpx.post(url, headers=gone).status_code == 202
    world("token", "revoke", "gone").expect(0)
    assert httpx.post(url, headers=gone).status_code == 401


def test_home_has_no_token_or_password(world: Home, allowed: dict[str, str]) -> None:
    file = world.path / "access.json"
    assert file.stat().st_mode & 0o777 == 0o600
    stored = file.read_text(encoding="utf-8")
    assert PASSWORD not in stored
    assert allowed["Authorization"].removeprefix("Bearer ") not in stored
    listed = world("token", "list", "--json").expect(0).out
    assert allowed["Authorization"].removeprefix("Bearer ") not in listed


def test_user_gets_a_token_as_plain_text_and_revokes_it(server: WebServer) -> None:
    url = f"{server.url}/v1/auth/tokens"
    answer = httpx.post(url, auth=("ann", PASSWORD))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    bearer = {"Authorization": f"Bearer {answer.text}"}
    compute = f"{server.url}/v1/compute/sra/{OTHER}"
    assert httpx.post(compute, headers=bearer).status_code == 202
    gone = httpx.delete(url, headers=bearer)
    assert (gone.status_code, gone.content) == (204, b"")
    assert httpx.post(compute, headers=bearer).status_code == 401
    second = httpx.post(url, auth=("ann", PASSWORD)).text
    assert httpx.delete(url, auth=("ann", PASSWORD)).status_code == 204
    assert httpx.post(compute, headers={"Authorization": f"Bearer {second}"}).status_code == 401


@pytest.mark.parametrize("user", [("ann", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_wrong_user_or_password_is_401(user: tuple[str, str], server: WebServer) -> None:
    for method in ("POST", "DELETE"):
        answer = httpx.request(method, f"{server.url}/v1/auth/tokens", auth=user)
        assert (answer.status_code, answer.json()["detail"]) == (401, "Provided authorization is not valid")
    for header, detail in (
        ("Basic ???", "Invalid authorization header"),
        ("Basic YW5u", "Provided authorization is not valid"),
    ):
        answer = httpx.post(f"{server.url}/v1/auth/tokens", headers={"Authorization": header})
        assert (answer.status_code, answer.json()["detail"]) == (401, detail)


def test_guessing_is_slowed_down(home: Home) -> None:
    home("token", "password", "ann", stdin=f"{PASSWORD}\n").expect(0)
    with serving(home) as server:
        url = f"{server.url}/v1/auth/tokens"
        assert [httpx.post(url, auth=("ann", f"guess {n}")).status_code for n in range(20)] == [401] * 20
        until(lambda: httpx.post(url, auth=("ann", "guess")).status_code == 429, "further ones have to wait")


def test_address_that_sends_too_many_requests_has_to_wait(home: Home) -> None:
    with serving(home, "--rate", "1") as server:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            assert client.get(f"/v1/view/sra/{RUN}").status_code == 404
            refused = until(
                lambda: (answer := client.get(f"/v1/view/sra/{RUN}")).status_code == 429 and answer,
                "too many were sent",
                pause=0,
            )
        assert refused and int(refused.headers["retry-after"]) >= 1


def test_read_only_server_refuses_changes(home: Home) -> None:
    allowed = token_of(home, "lab")
    with serving(home, "--read-only") as server:
        for path in (f"compute/sra/{RUN}", f"submit/sra/{RUN}", "auth/tokens"):
            answer = httpx.post(f"{server.url}/v1/{path}", headers=allowed)
            assert (answer.status_code, answer.json()["reason"]) == (403, "read-only")
    assert home.jobs() == []


# ---- submissions


def test_submission_is_stored_as_unverified_and_a_verification_is_queued(
    world: Home, server: WebServer, allowed: dict[str, str]
) -> None:
    signature = text(document(RUN))
    url = f"{server.url}/v1/submit/sra/{RUN}"
    answers = [
        httpx.post(url, headers=allowed, files=form(content)) for content in (signature, gzip.compress(signature))
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["status"]) == (202, "Signature accepted")
        assert (answer.json()["trust"], answer.json()["task_id"]) == ("unverified", answers[0].json()["task_id"])
    assert [job.state for job in world.jobs() if job.name == RUN] == ["queued"]
    [(submitter, origin)] = world.select("SELECT submitter, origin FROM submissions WHERE name = ?", RUN)
    assert (submitter, origin) == ("lab", "an upload by lab")
    assert httpx.get(f"{server.url}/v1/view/sra/{RUN}").status_code == 404  # it is not verified
    assert not list(world.path.rglob("scratch-*"))


def test_curl_submits_a_file(world: Home, server: WebServer, allowed: dict[str, str]) -> None:
    (world.cwd / "y.sig").write_bytes(text(document("SRR000007", seed=2)))
    token = ("-H", f"Authorization: {allowed['Authorization']}")
    done = curl(world.cwd, f"{server.url}/v1/submit/sra/SRR000007", *token, "-F", f"file=@{world.cwd / 'y.sig'}")
    assert (done.status, json.loads(done.body)["status"]) == (202, "Signature accepted")


@pytest.mark.parametrize(
    ("path", "request_", "status", "words"),
    [
        ("genomes/GCA_000250945.2", {"files": form(b"x")}, 404, "Database not supported"),
        ("srax/SRR000001", {"files": form(b"x")}, 404, "Database not supported"),
        ("sra/SRR1", {"files": form(b"x")}, 400, "does not match"),
        ("sra/SRR000001", {"files": form(b"not a signature")}, 400, "the signature is refused"),
        ("sra/SRR000001", {"files": form(b"")}, 400, "the signature is refused"),
        ("sra/SRR000002", {"files": form(text(document("SRR000001")))}, 400, "its name is SRR000001"),
        ("sra/SRR000001", {"files": {"other": ("x", b"y")}}, 400, "Missing formdata parameter 'file'"),
        ("sra/SRR000001", {"data": {"file2": "x"}}, 400, "Missing formdata parameter 'file'"),
        ("sra/SRR000001", {"json": {"file": "x"}}, 415, "multipart/form-data"),
        ("sra/SRR000001", {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
        (
            "sra/SRR000001",
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=a"}},
            400,
            "not a form",
        ),
    ],
    ids=str,
)
def test_submission_that_is_none_is_refused(
    path: str, request_: dict[str, object], status: int, words: str, server: WebServer, allowed: dict[str, str]
) -> None:
    headers = {**allowed, **request_.pop("headers", {})}  # type: ignore[dict-item]
    answer = httpx.post(f"{server.url}/v1/submit/{path}", headers=headers, **request_)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert "/upload" not in answer.text


@pytest.mark.parametrize(
    ("path", "name", "hint"),
    [
        ("submit", "sample 1", "send it to `/v1/submit/sra/ACCESSION`"),
        ("v1/submit/sra/SRR000002", "SRR000001", "send it to the URL of that run"),
    ],
)
def test_hint_of_a_refused_submission_says_what_a_client_can_send(
    path: str, name: str, hint: str, server: WebServer, allowed: dict[str, str]
) -> None:
    answer = httpx.post(f"{server.url}/{path}", headers=allowed, files=form(text(document(name))))
    assert answer.status_code == 400
    assert answer.json()["hint"].startswith(hint)
    assert "--accession" not in answer.text


def test_upload_that_is_too_large_is_refused(home: Home) -> None:
    allowed = token_of(home, "lab")
    with serving(home, env={"WORT_SUBMIT_SIZE": "100000"}) as server:
        url = f"{server.url}/v1/submit/sra/{RUN}"
        large = httpx.post(url, headers=allowed, files=form(b"x" * 150_000))
        assert (large.status_code, large.json()["reason"]) == (413, "too-large")

        def endless() -> Iterator[bytes]:
            yield b'--a\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
            for _ in range(100_000):
                yield b"x" * 1000

        chunked = {**allowed, "Content-Type": "multipart/form-data; boundary=a"}
        try:
            code = httpx.post(url, headers=chunked, content=endless()).status_code
        except httpx.TransportError:  # the server has closed the connection while the client was still sending
            code = 413
        assert code == 413
        assert httpx.get(f"{server.url}/v1/view/sra/{RUN}").status_code == 404
    assert home.jobs() == []
