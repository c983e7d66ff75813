"""The interface of the earlier service: a row for each of its routes and of its answers, against a running server.

A row says what a client sends, and what it gets: the status, the content type, and the body exactly or in part.
"""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.contract_home import (
    CONTENT,
    GENOME,
    GONE_GENOME,
    GONE_RUN,
    LONG_RUN,
    PASSWORD,
    RUN,
    SERVED,
    TAXON,
    USER,
    ContractHome,
    contract_home,
)
from tests.support.submissions import document, text
from tests.support.web_server import WebServer, serving
from wort_cli.model.failure import Reason

JSON, PROBLEM, HTML = "application/json", "application/problem+json", "text/html; charset=utf-8"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SUBMITTED = re.compile(rf'\{{"status":"Submitted","task_id":"{UUID}"\}}\n')
CALCULATED = '{"status":"Signature already calculated"}\n'
NOT_FOUND, NO_DATABASE = '"Dataset not found"\n', '"Database not supported"\n'
LAB, NEW_USER = "lab", "user"
TOKEN = re.compile(r"[!-~]{20,100}")
"""A token is one word, which clients put into a header as it is."""


def form(content: bytes, name: str = "file") -> dict[str, Any]:
    return {"files": {name: ("x.sig", content)}}


@dataclass(frozen=True)
class Row:
    """A request, and its answer."""

    says: str
    method: str
    path: str
    status: int
    media: str | None = None
    body: str | re.Pattern[str] | None = None
    """All of it."""
    detail: str = ""
    """A part of the detail of a problem document."""
    auth: str = ""
    """`lab` for the token, `user` for user and password; else the header Authorization."""
    headers: dict[str, str] = field(default_factory=dict)
    """Some headers of the answer."""
    send: dict[str, Any] = field(default_factory=dict)


def url_of(database: str) -> str:
    return f"/v1/view/{database}/{SERVED[database]}"


def place_of(database: str) -> dict[str, str]:
    return {"location": f"/wort-{database}/sigs/{SERVED[database]}.sig"}


ROUTES = (
    Row("compute a run", "POST", "/v1/compute/sra/SRR100001", 202, JSON, SUBMITTED, auth=LAB),
    Row("compute a run that there is", "POST", f"/v1/compute/sra/{RUN}", 202, JSON, CALCULATED, auth=LAB),
    Row("recompute it", "POST", f"/v1/compute/sra/{LONG_RUN}?recompute=true", 202, JSON, SUBMITTED, auth=LAB),
    Row("recompute=false", "POST", f"/v1/compute/sra/{RUN}?recompute=false", 202, JSON, CALCULATED, auth=LAB),
    Row("compute an assembly", "POST", "/v1/compute/genomes/GCF_000195915.1", 202, JSON, SUBMITTED, auth=LAB),
    Row("compute an assembly that there is", "POST", f"/v1/compute/genomes/{GENOME}", 202, JSON, CALCULATED, auth=LAB),
    Row(
        "compute an assembly without metadata", "POST", f"/v1/compute/genomes/{GONE_GENOME}", 404, JSON,
        re.compile(r'\{"status":"Metadata not available",.*"reason":"not-found".*"hint":.*\}\n'), auth=LAB,
    ),
    *(Row(f"view {db}", "GET", url_of(db), 302, HTML, headers=place_of(db)) for db in SERVED),
    *(Row(f"HEAD of view {db}", "HEAD", url_of(db), 302, HTML, "", headers=place_of(db)) for db in SERVED),
    *(Row(f"view {db}: none", "GET", f"/v1/view/{db}/x1", 404, JSON, NOT_FOUND) for db in SERVED),
    Row("view another database", "GET", f"/v1/view/refseq/{GENOME}", 404, JSON, NO_DATABASE),
    Row("get a token", "POST", "/v1/auth/tokens", 200, "text/plain; charset=utf-8", TOKEN, auth=NEW_USER),
    Row("revoke tokens by password", "DELETE", "/v1/auth/tokens", 204, None, "", auth=NEW_USER),
    Row(
        "submit a run", "POST", "/v1/submit/sra/SRR100002", 202, JSON,
        re.compile(r'\{"status":"Signature accepted",.*\}\n'), auth=LAB, send=form(text(document("SRR100002"))),
    ),
    Row(
        "submit a taxon", "POST", "/v1/submit/img/2522125099", 202, JSON,
        re.compile(r'\{"status":"Signature accepted",.*\}\n'), auth=LAB, send=form(text(document("a genome"))),
    ),
    Row("submit an assembly", "POST", f"/v1/submit/genomes/{GENOME}", 404, JSON, NO_DATABASE, auth=LAB,
        send=form(CONTENT[GENOME])),
    Row("description as JSON", "GET", "/v1/openapi.json", 200, JSON),
    Row("description as YAML", "GET", "/v1/openapi.yaml", 200, "text/yaml; charset=utf-8"),
    Row("page of the description", "GET", "/v1/ui/", 200, HTML),
    Row("its path without slash", "GET", "/v1/ui", 308, headers={"location": "/v1/ui/"}),
)  # fmt: skip
"""Each route, and what it answers when nothing is wrong, or the dataset is not there."""
ANSWERS = (
    Row("body of a redirect", "GET", url_of("sra"), 302, HTML, re.compile("<!doctype html>.*Redirecting.*", re.S)),
    Row("OPTIONS of view", "OPTIONS", url_of("sra"), 200, None, "", headers={"allow": "GET, HEAD, OPTIONS"}),
    Row("unknown query parameters", "GET", f"{url_of('sra')}?format=x&y", 302, HTML, headers=place_of("sra")),
    Row("404 for a browser", "GET", "/v1/view/sra/x1", 404, JSON, NOT_FOUND, send={"headers": {"Accept": "text/html"}}),
    Row("pattern of a run", "POST", "/v1/compute/sra/SRR1", 400, PROBLEM,
        detail=r"'SRR1' does not match '^\\w{3}\\d{6,9}$'" + "\n\nFailed validating 'pattern' in schema:", auth=LAB),
    Row("pattern of an assembly", "POST", "/v1/compute/genomes/GCA_000005845", 400, PROBLEM,
        detail="'GCA_000005845' does not match", auth=LAB),
    Row("recompute is no boolean", "POST", f"/v1/compute/sra/{RUN}?recompute=banana", 400, PROBLEM,
        detail="Wrong type, expected 'boolean' for query parameter 'recompute'", auth=LAB),
    Row("submit without a body", "POST", f"/v1/submit/sra/{RUN}", 400, PROBLEM, detail="'file'", auth=LAB),
    Row("submit without the field", "POST", f"/v1/submit/sra/{RUN}", 400, PROBLEM, detail="'file'", auth=LAB,
        send=form(b"x", "other")),
    Row("submit a form without files", "POST", f"/v1/submit/sra/{RUN}", 400, PROBLEM, detail="'file'", auth=LAB,
        send={"data": {"file": "x"}}),
    Row("no token", "POST", f"/v1/compute/sra/{RUN}", 401, PROBLEM, detail="No authorization token provided"),
    Row("no scheme", "POST", f"/v1/compute/sra/{RUN}", 401, PROBLEM, detail="Invalid authorization header", auth="x"),
    Row("unknown token", "POST", f"/v1/compute/sra/{RUN}", 401, PROBLEM, detail="Provided token is not valid",
        auth="Bearer x"),
    Row("no token to submit", "POST", f"/v1/submit/sra/{RUN}", 401, PROBLEM, detail="No authorization token provided",
        send=form(b"x")),
    Row("no password", "POST", "/v1/auth/tokens", 401, PROBLEM, detail="No authorization token provided"),
    Row("wrong password", "POST", "/v1/auth/tokens", 401, PROBLEM, detail="Provided authorization is not valid",
        send={"auth": (USER, "wrong")}),
    Row("unknown user", "POST", "/v1/auth/tokens", 401, PROBLEM, detail="Provided authorization is not valid",
        send={"auth": ("nobody", PASSWORD)}),
    Row("401 before 400", "POST", "/v1/compute/sra/SRR1", 401, PROBLEM),
    Row("401 before 404", "POST", f"/v1/submit/genomes/{GENOME}", 401, PROBLEM, send=form(b"x")),
    Row("page of a dataset", "GET", f"/view/sra/{RUN}/", 200, HTML, send={"headers": {"Accept": "text/html"}}),
    Row("page without a slash", "GET", f"/view/sra/{RUN}", 308, headers={"location": f"/view/sra/{RUN}/"}),
    Row("unknown path", "GET", "/v1/nothing", 404, PROBLEM, detail="The requested URL was not found on the server."),
    Row("slash at the end", "GET", f"{url_of('sra')}/", 404, PROBLEM),
    Row("method", "POST", url_of("sra"), 405, PROBLEM, headers={"allow": "GET, HEAD"}),
    Row("method of compute", "GET", f"/v1/compute/sra/{RUN}", 405, PROBLEM, headers={"allow": "POST"}),
)  # fmt: skip
"""Exact answers: bodies, and each way in which something can be wrong."""
FAULTS = (
    Row("redirect to what is not there", "GET", "/v1/view/sra/SRR100003", 404, JSON, NOT_FOUND),
    Row("known counts as calculated", "GET", f"/v1/view/sra/{GONE_RUN}", 404, JSON, NOT_FOUND),
    Row("200 for nonsense", "GET", "/view/sra/nonsense/", 404),
    Row("200 for any database", "GET", f"/view/nonsense/{RUN}/", 404),
    Row("200 for what nobody knows", "GET", "/view/sra/SRR100004/", 404),
    Row("500 for an unknown run", "POST", "/v1/compute/sra/SRR999999999", 202, JSON, SUBMITTED, auth=LAB),
    Row("no reason for an absence", "GET", f"/v1/status/{GONE_RUN}", 200, JSON,
        re.compile('.*"state":"unavailable","reason":"not-found","sentence":"[^"]+","hint":"[^"]+".*', re.S)),
    Row("submission without a check", "POST", f"/v1/submit/sra/{RUN}", 400, PROBLEM,
        detail="the signature is refused", auth=LAB, send=form(b"anything")),
    Row("page and interface disagree about IMG", "GET", f"/view/img/{TAXON}/", 200, HTML,
        re.compile(f".*/v1/view/img/{TAXON}.*", re.S), send={"headers": {"Accept": "text/html"}}),
    Row("prefix of a database", "GET", f"/v1/view/srax/{RUN}", 404, JSON, NO_DATABASE),
    Row("prefix of a database, to submit", "POST", f"/v1/submit/srax/{RUN}", 404, JSON, NO_DATABASE, auth=LAB,
        send=form(CONTENT[RUN])),
    Row("nine digits", "GET", f"/v1/view/sra/{LONG_RUN}", 302),
    Row("nine digits to compute", "POST", "/v1/compute/sra/SRR154610282", 202, JSON, SUBMITTED, auth=LAB),
)  # fmt: skip
"""Faults of the earlier service, which are not repeated."""


OLDEST = (
    Row("oldest: compute", "POST", "/compute/SRR100007", 202, JSON, SUBMITTED, auth=LAB),
    Row("oldest: compute what there is", "POST", f"/compute/{RUN}", 202, JSON, CALCULATED, auth=LAB),
    Row("oldest: viewer", "GET", f"/viewer/{RUN}", 302, HTML, headers=place_of("sra")),
    Row("oldest: viewer of nothing", "GET", f"/viewer/{GONE_RUN}", 404, JSON, NOT_FOUND),
    Row("oldest: status of no task", "GET", "/status/00000000-0000-0000-0000-000000000000", 404, PROBLEM),
    Row("oldest: token", "POST", "/tokens", 200, JSON, re.compile(r'\{"token":"[!-~]{20,100}"\}\n'), auth=NEW_USER),
    Row("oldest: revoke", "DELETE", "/tokens", 204, None, "", auth=NEW_USER),
    Row("oldest: page to submit", "GET", "/submit", 200, HTML, send={"headers": {"Accept": "text/html"}}),
    Row("oldest: submit", "POST", "/submit", 200, JSON, re.compile(r'\{"status":"Signature accepted",.*\}\n'), auth=LAB,
        send=form(text(document("SRR100008")))),
    Row("oldest: submit nothing", "POST", "/submit", 400, PROBLEM, detail="'file'", auth=LAB),
    Row("oldest: submit a form without the file", "POST", "/submit", 400, PROBLEM, detail="'file'", auth=LAB,
        send=form(b"x", "other")),
    Row("oldest: submit what nobody knows", "POST", "/submit", 400, PROBLEM, detail="its name is not an accession",
        auth=LAB, send=form(text(document("sample 1")))),
    Row("oldest: submit with a wrong token", "POST", "/submit", 401, PROBLEM, detail="Provided token is not valid",
        auth="Bearer x", send=form(text(document("SRR100008")))),
)  # fmt: skip
"""The paths of the first version of the earlier service."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContractHome]:
    with contract_home(tmp_path_factory.mktemp("contract") / "h") as made:
        yield made


@pytest.fixture(scope="module")
def server(home: ContractHome) -> Iterator[WebServer]:
    with serving(home) as running:
        yield running


def ask(server: WebServer, home: ContractHome, row: Row) -> httpx.Response:
    options = dict(row.send)
    if row.auth == NEW_USER:
        options["auth"] = (USER, PASSWORD)
    elif row.auth:
        options["headers"] = {"Authorization": f"Bearer {home.lab}" if row.auth == LAB else row.auth}
    return httpx.request(row.method, server.url + row.path, timeout=60, **options)


@pytest.mark.parametrize("row", [*ROUTES, *ANSWERS, *FAULTS, *OLDEST], ids=lambda row: row.says)
def test_row(row: Row, home: ContractHome, server: WebServer) -> None:
    answer = ask(server, home, row)
    assert answer.status_code == row.status, answer.text
    if row.media is not None:
        assert answer.headers["content-type"] == row.media
    if isinstance(row.body, str):
        assert answer.text == row.body
    elif row.body is not None:
        assert row.body.fullmatch(answer.text), answer.text
    assert {name: answer.headers.get(name) for name in row.headers} == row.headers
    assert "www-authenticate" not in answer.headers
    if row.media == PROBLEM:
        found = answer.json()
        assert list(found)[:4] == ["detail", "status", "title", "type"]
        assert (found["status"], found["type"]) == (row.status, "about:blank")
        assert found["reason"]
        assert row.detail in found["detail"]
        assert answer.text == json.dumps(found, indent=2) + "\n"


def test_expired_token_is_401(home: ContractHome, server: WebServer) -> None:
    headers = {"Authorization": f"Bearer {home.expired}"}
    answer = httpx.post(f"{server.url}/v1/compute/sra/{RUN}", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (401, "Provided token is not valid")


def test_tokens_are_revoked(server: WebServer) -> None:
    """A token revokes itself; the password revokes all tokens of its user."""
    url, compute = f"{server.url}/v1/auth/tokens", f"{server.url}/v1/compute/sra/{RUN}"

    def new() -> dict[str, str]:
        return {"Authorization": f"Bearer {httpx.post(url, auth=(USER, PASSWORD)).text}"}

    first, second = new(), new()
    assert httpx.post(compute, headers=first).status_code == 202
    assert httpx.delete(url, headers=first).status_code == 204
    assert [httpx.post(compute, headers=each).status_code for each in (first, second)] == [401, 202]
    assert httpx.delete(url, auth=(USER, PASSWORD)).status_code == 204
    assert httpx.post(compute, headers=second).status_code == 401


def test_oldest_requests_lead_to_the_state_of_their_tasks(home: ContractHome, server: WebServer) -> None:
    made = httpx.post(f"{server.url}/compute/SRR100009", headers={"Authorization": f"Bearer {home.lab}"})
    assert made.headers["location"] == f"/status/{made.json()['task_id']}"
    state = httpx.get(server.url + made.headers["location"])
    assert state.text == '{"state":"PENDING","current":0,"total":1,"status":"Pending..."}\n'
    failed = httpx.get(f"{server.url}/status/{home.job(GONE_GENOME).id}").json()
    assert (failed["state"], failed["status"]) == ("FAILURE", Reason.NOT_FOUND.sentence)


def test_each_request_for_a_run_is_the_same_task(home: ContractHome, server: WebServer) -> None:
    url, headers = f"{server.url}/v1/compute/sra/SRR100005", {"Authorization": f"Bearer {home.lab}"}
    assert len({httpx.post(url, headers=headers).text for _ in range(3)}) == 1
    assert len([job for job in home.jobs() if job.name == "SRR100005"]) == 1


def test_recompute_queues_what_is_there_and_what_is_unavailable(tmp_path: Path) -> None:
    with contract_home(tmp_path / "h") as home, serving(home) as server:
        headers = {"Authorization": f"Bearer {home.lab}"}
        for name in (TAXON, GONE_GENOME, GONE_RUN):
            database = "genomes" if name.startswith("G") else "sra"
            answer = httpx.post(f"{server.url}/v1/compute/{database}/{name}?recompute=true", headers=headers)
            if name == TAXON:
                assert answer.status_code == 400
                continue
            assert (answer.status_code, answer.json()["status"]) == (202, "Submitted")
            assert home.job(name).state == "queued"
            forced = home.select("SELECT force FROM jobs WHERE name = ?", name)
            assert forced == [(1,)]  # what is there is no reason to end


def test_bytes_of_a_signature_are_the_same_each_time(server: WebServer) -> None:
    """The header of the gzip file has no time."""
    for database, place in ((db, place_of(db)["location"]) for db in SERVED):
        with httpx.stream("GET", server.url + place) as answer:
            assert next(answer.iter_raw())[4:8] == bytes(4), database


def test_nobody_else_is_asked_in_a_request_to_compute(home: ContractHome) -> None:
    """NCBI and ENA are asked by the job, within limits of time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        places = ("WORT_ENA_URL", "WORT_NCBI_URL", "WORT_ENTREZ_URL", "WORT_GENOMES_URL")
        with serving(home, env={**dict.fromkeys(places, url), "WORT_S3_PRESET": f"{url}/wort-sra"}) as server:
            for path in ("sra/SRR100010", "genomes/GCA_000000010.1"):
                headers = {"Authorization": f"Bearer {home.lab}"}
                assert httpx.post(f"{server.url}/v1/compute/{path}", headers=headers).status_code == 202
                assert httpx.get(f"{server.url}/v1/view/{path}").status_code == 404
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_reads_answer_head_as_get(server: WebServer) -> None:
    """The same status and headers, and no body."""
    paths = [
        *(url_of(db) for db in SERVED),
        *(place_of(db)["location"] for db in SERVED),
        *(f"/wort-{db}/SOURMASH-MANIFEST.{form}" for db in SERVED for form in ("parquet", "csv.gz")),
        *(f"/v1/view/{db}/none" for db in (*SERVED, "srax")),
        *(f"/v1/status/{name}" for name in SERVED.values()),
        *("/v1/jobs", "/v1/catalog", "/v1/openapi.json", "/v1/openapi.yaml", "/v1/ui/", "/v1/ui", "/v1/nothing"),
        *("/", "/about", "/queue", "/catalog", "/groups", "/robots.txt", f"/view/sra/{RUN}/", f"/view/sra/{RUN}"),
        *("/viewer/" + RUN, "/health", "/search?q=x"),
    ]
    changing = {"date", "content-length", "set-cookie"}
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for path in paths:
            got, head = client.get(path), client.head(path)
            assert (head.status_code, head.content) == (got.status_code, b""), path
            differences = {n for n in {*got.headers, *head.headers} if got.headers.get(n) != head.headers.get(n)}
            assert differences <= changing, path
