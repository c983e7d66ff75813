"""`wort serve` reports on runs, jobs and itself, as its description has it."""

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from starlette.routing import Route

from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf
from tests.support.web_server import WebServer, serving
from wort_cli.web import compute, events, health, job_changes, jobs, manifest, openapi, status, submit, tokens, view

RUN, QUEUED, GONE, OTHER = "SRR000001", "SRR000002", "SRR000003", "SRR000004"


@pytest.fixture(scope="module")
def world(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a signature, a queued job, and a run that is unavailable."""
    made = Home(tmp_path_factory.mktemp("status") / "h")
    made.keep(RUN, shelf.archive())
    made("compute", RUN, "--now", "-g", "soil").expect(0)
    made.keep(GONE, shelf.archive("all_filtered"))
    made("compute", GONE, "--now", "-g", "soil")
    made("compute", QUEUED, "-g", "soil").expect(0)
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(world: Home) -> Iterator[WebServer]:
    with serving(world) as running:
        yield running


@pytest.fixture(scope="module")
def allowed(world: Home) -> dict[str, str]:
    secret = world("token", "add", "lab").expect(0).out.strip()
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture(scope="module")
def description(server: WebServer) -> Any:
    return httpx.get(f"{server.url}/v1/openapi.json").json()


def valid(description: Any, path: str, method: str, answer: httpx.Response) -> Any:
    """Return the body of an answer; fail unless it is what the description says."""
    response = description["paths"][path][method]["responses"][str(answer.status_code)]
    schema = response["content"][answer.headers["content-type"]]["schema"]
    document = answer.json()
    jsonschema.validate(document, {**nullable(schema), "components": nullable(description["components"])})
    return document


def nullable(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema."""
    if isinstance(schema, list):
        return [nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: nullable(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [changed, {"type": "null"}]} if schema.get("nullable") is True else changed


def test_status_of_a_run_with_a_signature(server: WebServer, description: Any) -> None:
    answer = httpx.get(f"{server.url}/v1/status/{RUN}")
    found = valid(description, "/v1/status/{id}", "get", answer)
    assert (found["state"], found["trust"], found["reason"]) == ("have", "computed", None)
    assert found["url"] == f"/wort-sra/sigs/{RUN}.sig"
    assert [sketch["ksize"] for sketch in found["sketches"]] == [21, 31, 51]
    assert found["job"]["state"] == "done"
    file = httpx.head(server.url + found["url"])
    assert file.headers["etag"] == f'"{found["signature"]["sha256"]}"'
    assert int(file.headers["content-length"]) == found["signature"]["size"]


def test_status_says_why_there_is_no_signature(world: Home, server: WebServer, description: Any) -> None:
    states = {}
    for run in (QUEUED, GONE, OTHER):
        answer = httpx.get(f"{server.url}/v1/status/{run}")
        states[run] = valid(description, "/v1/status/{id}", "get", answer)
        assert states[run]["url"] is None
        assert states[run]["signature"] is None
    assert states[QUEUED]["state"] == "queued"
    assert states[QUEUED]["job"]["position"] == 1
    assert (states[GONE]["state"], states[GONE]["reason"]) == ("unavailable", world.job(GONE).reason)
    assert states[GONE]["sentence"]
    assert (states[OTHER]["state"], states[OTHER]["job"]) == ("unknown", None)
    assert str(world.path) not in json.dumps(states)
    assert httpx.get(f"{server.url}/v1/status/SRR1").status_code == 400


@pytest.mark.parametrize("form", ["json", "text", "group"])
def test_status_of_many(form: str, server: WebServer, description: Any) -> None:
    ids = [RUN, QUEUED, GONE]
    url = f"{server.url}/v1/status"
    answer = {
        "json": lambda: httpx.post(url, json={"ids": [*ids, OTHER, "nonsense", RUN]}),
        "text": lambda: httpx.post(url, content="\n".join(ids), headers={"Content-Type": "text/plain"}),
        "group": lambda: httpx.post(url, json={"group": "soil"}),
    }[form]()
    found = valid(description, "/v1/status", "post", answer)
    states = {row["id"]: row["state"] for row in found["runs"]}
    more = {OTHER: "unknown", "nonsense": "unknown"} if form == "json" else {}
    assert states == {RUN: "have", QUEUED: "queued", GONE: "unavailable", **more}
    assert found["counts"]["have"] == 1


def test_status_of_many_as_csv_has_no_formulas(server: WebServer) -> None:
    answer = httpx.post(f"{server.url}/v1/status?format=csv", json={"ids": [RUN, "=cmd()", GONE]})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["id"], row["state"]) for row in rows] == [
        (RUN, "have"),
        ("'=cmd()", "unknown"),
        (GONE, "unavailable"),
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"ids": "SRR000001"}', 400),
        (b'{"ids": [1]}', 400),
        (b'{"ids": ["SRR000001"], "group": "soil"}', 400),
        (b'{"group": "none"}', 404),
        (b'{"project": "PRJNA1"}', 404),
        (b'{"project": "x\' OR 1=1 --"}', 404),
        (b'{"group": "a\\nb"}', 400),
        (json.dumps({"ids": [str(n) for n in range(10_001)]}).encode(), 413),
        (b'{"ids": ["' + b"x" * 1_100_000 + b'"]}', 413),
    ],
    ids=[*map(str, range(14))],
)
def test_odd_bodies_are_refused(body: bytes, status: int, server: WebServer, description: Any) -> None:
    answer = httpx.post(f"{server.url}/v1/status", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    valid(description, "/v1/status", "post", answer)


def test_many_runs_are_enqueued_once(world: Home, server: WebServer, allowed: dict[str, str], description: Any) -> None:
    runs = ["SRR300001", "SRR300002", RUN, GONE, "nonsense", "SRR300001"]
    answers = [
        httpx.post(f"{server.url}/v1/compute", json={"ids": runs, "group": "many"}, headers=allowed) for _ in range(2)
    ]
    found = [valid(description, "/v1/compute", "post", answer) for answer in answers]
    assert found[0] == found[1]
    by_id = {row["id"]: row for row in found[0]["answers"]}
    assert by_id["SRR300001"]["status"] == "Submitted"
    assert by_id[RUN]["status"] == "Signature already calculated"
    assert by_id[GONE]["reason"] == world.job(GONE).reason
    assert by_id["nonsense"]["reason"] == "invalid-accession"
    names = [job.name for job in world.jobs()]
    assert (names.count("SRR300001"), names.count(RUN)) == (1, 1)
    refused = httpx.post(f"{server.url}/v1/compute", json={"ids": runs})
    assert refused.status_code == 401


def test_jobs_are_listed_by_pages(server: WebServer, description: Any) -> None:
    seen, url = [], "/v1/jobs?limit=2"
    while url:
        page = valid(description, "/v1/jobs", "get", httpx.get(server.url + url))
        seen += [job["job"] for job in page["jobs"]]
        assert len(page["jobs"]) <= 2
        url = page["next"]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == len(seen) == sum(page["counts"].values())
    done = httpx.get(f"{server.url}/v1/jobs?state=done&group=soil").json()
    assert [job["id"] for job in done["jobs"]] == [RUN]
    for query in ("state=paused", "reason=x", "limit=0", "limit=1001", "before=-1", "before=9999999999999999999"):
        valid(description, "/v1/jobs", "get", refused := httpx.get(f"{server.url}/v1/jobs?{query}"))
        assert refused.status_code == 400


def test_catalog_lists_what_is_served(server: WebServer, description: Any) -> None:
    found = valid(description, "/v1/catalog", "get", httpx.get(f"{server.url}/v1/catalog"))
    assert [(row["id"], row["trust"]) for row in found["signatures"]] == [(RUN, "computed")]
    assert httpx.get(f"{server.url}/v1/catalog?after={RUN}").json()["signatures"] == []
    assert httpx.get(f"{server.url}/v1/catalog?after='").status_code == 400


def test_oldest_paths_answer(server: WebServer, allowed: dict[str, str]) -> None:
    """Clients of the first version of the earlier service use these paths."""
    assert httpx.get(f"{server.url}/viewer/{RUN}").headers["location"] == f"/wort-sra/sigs/{RUN}.sig"
    made = httpx.post(f"{server.url}/compute/{QUEUED}", headers=allowed)
    assert (made.status_code, made.headers["location"]) == (202, f"/status/{made.json()['task_id']}")
    status = httpx.get(server.url + made.headers["location"]).json()
    assert status == {"state": "PENDING", "current": 0, "total": 1, "status": "Pending..."}
    assert httpx.get(f"{server.url}/status/{'0' * 36}").status_code == 404


def test_health_and_metrics(server: WebServer, description: Any) -> None:
    found = valid(description, "/health", "get", httpx.get(f"{server.url}/health"))
    assert (found["status"], found["daemon"]) == ("ok", "stopped")
    text = httpx.get(f"{server.url}/metrics").text
    assert "wort_up 0.0" in text
    assert httpx.get(f"{server.url}/v1/openapi.yaml").headers["content-type"] == "text/yaml; charset=utf-8"


def test_description_is_valid_and_complete(description: Any) -> None:
    """Each operation has a summary, and each reference exists."""
    text = json.dumps(description)
    for name in description["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text
    for path, methods in description["paths"].items():
        for operation in methods.values():
            assert operation["summary"]
            names = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
            assert names == set(re.findall("{([a-z]+)}", path))


def test_every_path_of_the_interface_is_described(description: Any) -> None:
    """All except the pages, which are no interface; and nothing is described that is not there."""
    parts = (view, manifest, compute, submit, tokens, status, jobs, job_changes, events, health, openapi)
    found = [route for part in parts for route in part.routes() if isinstance(route, Route)]
    answered = {(re.sub("{[a-z:]+}", "{}", route.path), m.lower()) for route in found for m in route.methods or ()}
    answered.add(("/submit", "post"))  # a page and its form
    described = {
        (re.sub("{[a-z]+}", "{}", path), method) for path, methods in description["paths"].items() for method in methods
    }
    assert {(path, method) for path, method in answered if method != "head"} == described


def test_file_of_a_signature_is_what_the_description_says(server: WebServer, description: Any) -> None:
    answer = httpx.get(f"{server.url}/wort-sra/sigs/{RUN}.sig")
    [signature] = valid(description, "/wort-{database}/sigs/{dataset}.sig", "get", answer)
    assert signature["name"] == RUN


def test_events_are_streamed_as_they_happen(home: Home) -> None:
    with serving(home) as server:
        lines: list[str] = []

        def read(url: str, **headers: str) -> None:
            with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                for line in answer.iter_lines():
                    lines.append(line)
                    if RUN in line:
                        return

        follower = threading.Thread(target=read, args=(f"{server.url}/v1/events?id={RUN}",))
        follower.start()
        until(lambda: lines, "the stream has started")
        home("compute", OTHER, RUN).expect(0)
        follower.join(60)
        [data] = [line for line in lines if line.startswith("data: ")]
        event = json.loads(data.removeprefix("data: "))
        assert (event["id"], event["state"], event["before"]) == (RUN, "queued", None)
        lines.clear()
        read(f"{server.url}/v1/events", **{"Last-Event-ID": "0"})
        assert [line for line in lines if OTHER in line]
        assert httpx.get(f"{server.url}/v1/events?id=x").status_code == 400


def test_server_stops_at_once_although_clients_follow_events(home: Home) -> None:
    with serving(home) as server, httpx.stream("GET", f"{server.url}/v1/events", timeout=60) as answer:
        chunks = answer.iter_raw()
        assert next(chunks).startswith(b"retry:")
        server.running.process.terminate()
        assert not [chunk for chunk in chunks if not chunk.startswith(b":")], "it ends, maybe after a comment"
        assert server.running.wait().code == 0
