"""Jobs that are cancelled, queued again and held back through `wort serve`, as the commands do it."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.homes import Home
from tests.support.web_server import WebServer, serving

RIGHTS = "compute,cancel,retry,pause"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("job-changes") / "h")
    yield made
    made.end()


@pytest.fixture(scope="module")
def server(world: Home) -> Iterator[WebServer]:
    with serving(world, "--rate", "0") as running:
        yield running


@pytest.fixture(scope="module")
def allowed(world: Home) -> dict[str, str]:
    return {"Authorization": f"Bearer {world('token', 'add', 'lab', '--may', RIGHTS).expect(0).out.strip()}"}


def enqueue(world: Home, *runs: str, group: str = "soil") -> list[int]:
    world("compute", *runs, "-g", group).expect(0)
    return [world.job(run).id for run in runs]


def post(server: WebServer, path: str, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = httpx.post(f"{server.url}/v1/{path}", headers=headers, json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_job_is_cancelled_and_queued_again_and_asking_twice_changes_nothing(
    world: Home, server: WebServer, allowed: dict[str, str]
) -> None:
    [job] = enqueue(world, "SRR910001")
    workspace = world.path / "work" / str(job)
    workspace.mkdir(parents=True)
    first, second = (post(server, f"jobs/{job}/cancel", allowed) for _ in range(2))
    assert (first["cancelled"], second["cancelled"]) == (1, 0)
    assert first["job"]["state"] == second["job"]["state"] == "cancelled"
    assert not workspace.exists()
    first, second = (post(server, f"jobs/{job}/retry", allowed) for _ in range(2))
    assert (first["queued"], second["queued"]) == (1, 0)
    assert first["job"]["state"] == second["job"]["state"] == "queued"
    assert second["job"]["position"] >= 1
    by_task = post(server, f"jobs/{first['job']['task_id']}/cancel", allowed)
    assert (by_task["cancelled"], by_task["job"]["job"]) == (1, job)
    assert httpx.get(f"{server.url}/v1/jobs/{job}").json() == by_task["job"]


def test_jobs_of_a_group_are_changed_and_no_others(world: Home, server: WebServer, allowed: dict[str, str]) -> None:
    members, [other] = enqueue(world, "SRR920001", "SRR920002", group="sea"), enqueue(world, "SRR920003", group="air")
    assert post(server, "jobs/cancel", allowed, group="sea") == {
        "cancelled": 2,
        "before": {"queued": 2},
        "unknown": [],
    }
    assert post(server, "jobs/cancel", allowed, group="sea")["cancelled"] == 0
    assert {world.job(name).state for name in ("SRR920001", "SRR920002")} == {"cancelled"}
    assert world.job("SRR920003").state == "queued"
    assert post(server, "jobs/retry", allowed, group="sea", state="cancelled")["queued"] == 2
    assert post(server, "jobs/retry", allowed, group="sea", state="failed")["queued"] == 0
    found = post(server, "jobs/cancel", allowed, jobs=[*members, 10**6])
    assert (found["cancelled"], found["unknown"]) == (2, [str(10**6)])
    found = post(server, "jobs/retry", allowed, ids=["SRR920001", "SRR999999", "<b>"])
    assert (found["queued"], found["unknown"]) == (1, ["SRR999999", "<b>"])
    assert world("cancel", str(other)).expect(0)


def test_everything_is_cancelled_only_if_that_is_said(world: Home, server: WebServer, allowed: dict[str, str]) -> None:
    enqueue(world, "SRR930001", "SRR930002")
    bodies: tuple[dict[str, Any], ...] = ({}, {"all": False}, {"group": ""}, {"ids": []})
    for body in bodies:
        answer = httpx.post(f"{server.url}/v1/jobs/cancel", headers=allowed, json=body)
        assert (answer.status_code, answer.json()["reason"]) == (400, "invalid")
    assert world.job("SRR930002").state == "queued"
    assert post(server, "jobs/cancel", allowed, all=True)["cancelled"] >= 2
    assert {job.state for job in world.jobs()} == {"cancelled"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"ids": ["SRR1"], "group": "soil"}, "give one of"),
        ({"jobs": ["1"]}, "not a list of numbers"),
        ({"jobs": [True]}, "not a list of numbers"),
        ({"jobs": 7}, "not a list of numbers"),
        ({"jobs": [2**63]}, "not a list of numbers"),
        ({"state": "lost"}, "there is no such state"),
        ({"reason": "x"}, "there is no such reason"),
        ({"group": "nobody"}, "there is no group"),
        ({"group": 7}, "not a text"),
        ({"all": "yes"}, "not true or false"),
        ([], "not an object"),
    ],
)
def test_selection_that_is_none_is_refused(
    body: object, words: str, server: WebServer, allowed: dict[str, str], world: Home
) -> None:
    enqueue(world, "SRR940001")
    answer = httpx.post(f"{server.url}/v1/jobs/cancel", headers=allowed, json=body)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert world.job("SRR940001").state == "queued"


@pytest.mark.parametrize("job", ["0", "999999", "9" * 30, "-1", "x", "..", "00000000-0000-8000-8000-000000000001"])
def test_unknown_job_is_not_found(job: str, server: WebServer, allowed: dict[str, str]) -> None:
    for path in ("cancel", "retry"):
        assert httpx.post(f"{server.url}/v1/jobs/{job}/{path}", headers=allowed).status_code == 404
    if job != "..":
        assert httpx.get(f"{server.url}/v1/jobs/{job}").status_code == 404


def test_queue_and_groups_are_paused_and_resumed(world: Home, server: WebServer, allowed: dict[str, str]) -> None:
    enqueue(world, "SRR950001", group="rock")
    for _ in range(2):
        assert post(server, "queue/pause", allowed) == {"paused": True, "paused_groups": []}
    assert post(server, "queue/pause", allowed, group="rock") == {"paused": True, "paused_groups": ["rock"]}
    assert httpx.post(f"{server.url}/v1/queue/resume", headers=allowed).json()["paused"] is False
    assert httpx.get(f"{server.url}/v1/queue").json() == {"paused": False, "paused_groups": ["rock"]}
    assert post(server, "queue/resume", allowed, group="rock") == {"paused": False, "paused_groups": []}
    answer = httpx.post(f"{server.url}/v1/queue/pause", headers=allowed, json={"group": "nobody"})
    assert (answer.status_code, answer.json()["detail"]) == (400, "there is no group 'nobody'")


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("jobs/1/cancel", "cancel"),
        ("jobs/cancel", "cancel"),
        ("jobs/1/retry", "retry"),
        ("jobs/retry", "retry"),
        ("queue/pause", "pause"),
        ("queue/resume", "pause"),
    ],
)
def test_each_change_needs_its_right(path: str, right: str, world: Home, server: WebServer) -> None:
    others = ",".join(sorted({"read", *RIGHTS.split(",")} - {right}))
    secret = world("token", "add", f"not-{path.replace('/', '-')}", "--may", others).expect(0).out.strip()
    url = f"{server.url}/v1/{path}"
    assert httpx.post(url, json={"all": True}).status_code == 401
    refused = httpx.post(url, json={"all": True}, headers={"Authorization": f"Bearer {secret}"})
    assert (refused.status_code, refused.json()["hint"]) == (403, f"needed: {right}")


def test_read_only_server_changes_no_job(home: Home) -> None:
    home("compute", "SRR960001").expect(0)
    secret = home("token", "add", "lab", "--may", RIGHTS).expect(0).out.strip()
    headers = {"Authorization": f"Bearer {secret}"}
    with serving(home, "--read-only") as server:
        for path in ("jobs/1/cancel", "jobs/cancel", "jobs/1/retry", "queue/pause"):
            answer = httpx.post(f"{server.url}/v1/{path}", headers=headers, json={"all": True})
            assert (answer.status_code, answer.json()["reason"]) == (403, "read-only")
    assert home.job("SRR960001").state == "queued"
