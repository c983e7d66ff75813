"""The forms of the pages queue, cancel, retry and pause, only for clients that are allowed to."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.support.homes import Home
from tests.support.served_home import (
    DONE,
    FAILED,
    GROUP,
    HOSTILE_GROUP,
    HTML,
    QUEUED,
    REFUTED,
    UNAVAILABLE,
    WAITING,
    served_home,
)
from tests.support.visitor import Visitor, visiting
from tests.support.web_server import WebServer, serving

ALL = "read,compute,submit,cancel,retry,pause"
ASSEMBLY = "GCA_000005845.2"
MISSING = ("SRR2000001", "SRR2000002", "ERR2000003")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with served_home(tmp_path_factory.mktemp("actions") / "h") as made:
        yield made


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[WebServer]:
    with serving(home) as running:
        yield running


@pytest.fixture(scope="module")
def visitor(home: Home, server: WebServer) -> Iterator[Visitor]:
    with visiting(server, home("token", "add", "lab", "--may", ALL).expect(0).out.strip()) as made:
        yield made


def states(home: Home, name: str) -> list[str]:
    return [job.state for job in home.jobs() if job.name == name]


def number(home: Home, name: str) -> int:
    return next(job.id for job in home.jobs() if job.name == name)


# ---- to queue


@pytest.mark.parametrize(("database", "name"), [("sra", "SRR2000009"), ("genomes", ASSEMBLY)])
def test_what_is_not_there_is_queued_from_its_page(home: Home, visitor: Visitor, database: str, name: str) -> None:
    path = f"/view/{database}/{name}/"
    answer = visitor.send(path, f"{path}queue")
    assert visitor.notice(answer) == f"{name} is queued."
    assert states(home, name) == ["queued"]
    assert f"{path}queue" not in visitor.actions(path), "it is under way"
    assert "the token lab" in home("logs", name, "--all").expect(0).out
    again = visitor.post(f"{path}queue", {"csrf": visitor.forms(path)[0].fields["csrf"]})
    assert visitor.notice(again) == f"{name} is queued."
    assert states(home, name) == ["queued"]


def test_signature_that_is_there_is_computed_again(home: Home, visitor: Visitor) -> None:
    path = f"/view/sra/{DONE}/"
    [form] = [form for form in visitor.forms(path) if form.action.endswith("/queue")]
    assert form.buttons == ["Compute it again"]
    without = {name: value for name, value in form.fields.items() if name != "recompute"}
    assert visitor.notice(visitor.post(form.action, without)) == "The signature is here already."
    assert states(home, DONE) == ["done"]
    visitor.post(form.action, form.fields)
    assert states(home, DONE) == ["done", "queued"]
    assert "It is being computed again." in visitor.open(path).text


def test_refuted_signature_is_computed_again(home: Home, visitor: Visitor) -> None:
    path = f"/view/sra/{REFUTED}/"
    visitor.send(path, f"{path}queue")
    assert states(home, REFUTED) == ["queued"]


@pytest.mark.parametrize("path", ["local/mine", "img/2522125045", "sra/SRR1", f"sra/{quote(HTML, safe='')}", "x/SRR1"])
def test_what_has_no_source_is_not_queued(visitor: Visitor, path: str) -> None:
    csrf = visitor.forms("/queue")[0].fields["csrf"]
    answer = visitor.post(f"/view/{path}/queue", {"csrf": csrf})
    assert answer.status_code in (400, 404)
    assert HTML not in answer.text


def test_missing_ones_of_a_list_are_queued_as_a_group(home: Home, visitor: Visitor) -> None:
    path = f"/search?q={'+'.join((DONE, UNAVAILABLE, *MISSING))}"
    assert "Queue 3 missing" in visitor.open(path).text
    answer = visitor.send(path, "/search/queue", group=f"soil {HTML}")
    assert answer.headers["location"].startswith(f"/group/{quote(f'soil {HTML}', safe='')}/?notice=")
    page = visitor.follow(answer)
    assert HTML not in page.text
    assert "3 jobs are queued." in page.text
    assert [states(home, name) for name in MISSING] == [["queued"]] * 3
    assert states(home, UNAVAILABLE) == ["unavailable"]
    again = visitor.send(path, "/search/queue", group="", retry="1")
    assert visitor.notice(again) == "1 job is queued."
    assert states(home, UNAVAILABLE) == ["queued"]


def test_group_has_a_name_that_can_be_shown(visitor: Visitor) -> None:
    csrf = visitor.forms("/queue")[0].fields["csrf"]
    for group in ("a\x1b[31m", "a" * 300):
        assert visitor.post("/search/queue", {"csrf": csrf, "q": MISSING[0], "group": group}).status_code == 400
    assert visitor.post("/search/queue", {"csrf": csrf, "q": "nothing"}).status_code == 303


# ---- to cancel and to retry


def test_job_is_cancelled_and_retried_from_a_row_of_the_queue(home: Home, visitor: Visitor) -> None:
    job, filters = number(home, QUEUED[0]), f"/queue?state=queued&group={quote(HOSTILE_GROUP)}"
    answer = visitor.send(filters, f"/job/{job}/cancel")
    assert visitor.notice(answer) == f"Job {job} was cancelled."
    assert answer.headers["location"].startswith("/queue?state=queued&group=")
    assert states(home, QUEUED[0]) == ["cancelled"]
    assert visitor.notice(visitor.send("/queue", f"/job/{job}/retry")) == f"Job {job} is queued again."
    assert states(home, QUEUED[0]) == ["queued"]


def test_job_is_retried_from_the_page_of_its_run(home: Home, visitor: Visitor) -> None:
    job = number(home, WAITING)
    assert {f"/job/{job}/cancel", f"/job/{job}/retry"} <= visitor.actions(f"/view/sra/{WAITING}/")
    visitor.send(f"/view/sra/{WAITING}/", f"/job/{job}/retry")
    assert states(home, WAITING) == ["queued"]


def test_job_that_has_ended_is_not_cancelled(home: Home, visitor: Visitor) -> None:
    csrf, job = visitor.forms("/queue")[0].fields["csrf"], number(home, DONE)
    answer = visitor.post(f"/job/{job}/cancel", {"csrf": csrf, "to": "/queue"})
    assert visitor.notice(answer) == f"Job {job} was not changed: it has ended."
    assert states(home, DONE)[0] == "done"
    assert visitor.post("/job/999999/cancel", {"csrf": csrf}).status_code == 404
    assert visitor.post(f"/job/{job}/delete", {"csrf": csrf}).status_code == 404
    for number_of_none in ("0", "-1", "x", str(2**70), "9" * 10_000):
        assert visitor.post(f"/job/{number_of_none}/cancel", {"csrf": csrf}).status_code == 404


def test_many_jobs_are_changed_after_a_question(home: Home, visitor: Visitor) -> None:
    names = [f"SRR30000{n:02}" for n in range(7)]
    home("compute", *names, "-g", "bulk").expect(0)
    question = visitor.open("/jobs/cancel?group=bulk")
    assert "<h1>Cancel 7 jobs?</h1>" in question.text
    assert visitor.client.get("/jobs/cancel?group=bulk&format=json").json()["counts"] == {"queued": 7}
    assert states(home, names[0]) == ["queued"], "a question changes nothing"
    answer = visitor.send("/jobs/cancel?group=bulk", "/jobs/cancel")
    assert answer.headers["location"].startswith("/group/bulk/?")
    assert visitor.notice(answer) == "7 jobs were cancelled."
    assert {states(home, name)[0] for name in names} == {"cancelled"}
    assert "There is no job that it can be done to." in visitor.open("/jobs/cancel?group=bulk").text
    answer = visitor.send("/jobs/retry?group=bulk&state=cancelled", "/jobs/retry")
    assert visitor.notice(answer) == "7 jobs are queued again."
    assert {states(home, name)[0] for name in names} == {"queued"}


def test_jobs_with_a_reason_are_retried_from_the_page_of_the_group(home: Home, visitor: Visitor) -> None:
    links = re.findall(r'href="([^"]+)">Retry …', visitor.open(f"/group/{GROUP}/").text)
    path = f"/jobs/retry?state=failed&reason=corrupt&group={GROUP}"
    assert path.replace("&", "&amp;") in links
    assert "<h1>Retry 1 job?</h1>" in visitor.open(path).text
    visitor.send(path, "/jobs/retry")
    assert states(home, FAILED) == ["queued"]


@pytest.mark.parametrize("query", [f"state={quote(HTML)}", "reason=none", "state=queued&reason=x"])
def test_question_about_nothing_is_refused(visitor: Visitor, query: str) -> None:
    answer = visitor.open(f"/jobs/cancel?{query}")
    assert answer.status_code == 400
    assert HTML not in answer.text


# ---- to pause


def test_queue_and_groups_are_paused_and_resumed(home: Home, visitor: Visitor) -> None:
    answer = visitor.send("/queue", "/queue/pause")
    assert visitor.notice(answer) == "The queue is paused: running jobs end, and no other starts."
    assert home.select("SELECT value FROM control WHERE key = 'paused'") == [("yes",)]
    assert "/queue/resume" in visitor.actions("/queue")
    visitor.send("/queue", "/queue/resume")
    assert "/queue/pause" in visitor.actions("/queue")
    path = f"/group/{quote(HOSTILE_GROUP, safe='')}/"
    page = visitor.follow(visitor.send(path, "/queue/pause"))
    assert "the group is paused" in page.text
    assert HTML not in page.text
    visitor.send(path, "/queue/resume")
    assert "the group is paused" not in visitor.open(path).text


# ---- rights

FORMS = {
    "compute": (f"/view/sra/{REFUTED}/queue", "/search/queue"),
    "cancel": ("/job/{job}/cancel", "/jobs/cancel"),
    "retry": ("/job/{job}/retry", "/jobs/retry"),
    "pause": ("/queue/pause", "/queue/resume"),
}


@pytest.mark.parametrize("right", FORMS)
def test_form_needs_its_right_and_is_offered_only_with_it(home: Home, server: WebServer, right: str) -> None:
    others = ",".join({"read", *FORMS} - {right})
    secret = home("token", "add", f"no-{right}", "--may", others).expect(0).out.strip()
    before = [(job.id, job.state) for job in home.jobs()]
    with visiting(server, secret) as person:
        csrf, job = person.forms("/queue")[0].fields["csrf"], number(home, QUEUED[1])
        for path in FORMS[right]:
            answer = person.post(path.format(job=job), {"csrf": csrf, "q": "SRR4000000", "to": "/queue"})
            assert answer.status_code == 403
            assert f"no-{right} may not do this" in answer.text.replace("No-", "no-")
        paths = ("/queue", f"/view/sra/{QUEUED[1]}/", f"/view/sra/{DONE}/", f"/group/{GROUP}/", "/jobs/cancel",
                 "/jobs/retry", f"/search?q={DONE}+SRR4000000")  # fmt: skip
        actions = set().union(*(person.actions(path) for path in paths))
        assert not actions & {path.format(job=job) for path in FORMS[right]}
    assert [(job.id, job.state) for job in home.jobs()] == before


# ---- the page of a group


def test_page_of_a_group_says_how_far_it_is_and_why_signatures_are_missing(home: Home, visitor: Visitor) -> None:
    twin = visitor.client.get(f"/group/{GROUP}/?format=json").json()
    assert twin["members"] == sum(count["jobs"] for count in twin["counts"])
    assert twin["amounts"]["runs"] > 0 and twin["amounts"]["bases"] > 0
    for one in twin["missing"]:
        assert one["sentence"] and one["hint"] and one["examples"]
        table = visitor.open(f"/group/{GROUP}/jobs.csv?state={one['state']}&reason={one['reason']}").text
        assert len(table.splitlines()) == 1 + one["jobs"]
    page = visitor.open(f"/group/{GROUP}/").text
    assert "<dt>rate</dt>" in page
    assert HTML not in page
