"""`wort forget` drops ended jobs, keeps their events in a file, and says what else is forgotten with them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import published, request
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult
from wort_cli.settings import Settings, load_settings

DONE, ABSENT, FAILED, LIVE = "SRR100001", "SRR100002", "SRR100003", "SRR100004"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    return load_settings()


@pytest.fixture
def jobs(settings: Settings) -> Iterator[Ledger]:
    """A ledger with a job that is done, one unavailable, one failed when it was published, and a queued one."""
    ledger = Ledger(settings.ledger_file)
    results = {
        DONE: {"published": published(DONE)},
        ABSENT: {"failure": Failure(Reason.NOT_FOUND, "gone")},
        FAILED: {"failure": Failure(Reason.CONFLICT, "another object")},
    }
    answers = ledger.jobs.enqueue([request(name, group="g") for name in (*results, LIVE)])
    for answer in answers[:3]:
        job = ledger.attempts.claim(answer.job_id or 0, "daemon", 60)
        assert job is not None
        ledger.attempts.finish(JobResult(job.id, job.attempt, **results[str(job.name)]), RetryPolicy.of(settings))  # type: ignore[arg-type]
    yield ledger
    ledger.close()


def run(*words: str, code: int = 0) -> None:
    assert cli.run(["forget", *words]) == code


def names(ledger: Ledger) -> list[str]:
    rows = ledger.storage.select("SELECT name FROM jobs ORDER BY id", {})
    return [row["name"] for row in rows]


def test_ended_jobs_of_a_group_are_forgotten_and_what_goes_with_them_is_said(
    jobs: Ledger, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    (settings.workspace(3) / "sealed").mkdir(parents=True)
    run("-g", "g")
    said = capsys.readouterr()
    assert said.out == "2 jobs forgotten\n"
    assert "why 1 run had no signature is forgotten, too" in said.err
    assert "1 job kept, not ended yet" in said.err
    assert "1 job kept with a signature that waits to be published" in said.err
    assert names(jobs) == [FAILED, LIVE]
    assert (settings.workspace(3) / "sealed").exists()
    assert jobs.catalog.count() == 1
    assert {state: n for (state, _), n in jobs.counts.by_state().items()} == {JobState.FAILED: 1, JobState.QUEUED: 1}
    assert jobs.storage.select("SELECT DISTINCT job_id FROM events ORDER BY job_id", {}) == [
        {"job_id": 3},
        {"job_id": 4},
    ]
    lines = [json.loads(line) for line in settings.forgotten_log.read_text().splitlines()]
    assert [(line["name"], line["state"], line["reason"]) for line in lines] == [
        (DONE, "done", ""), (ABSENT, "unavailable", "not-found"),
    ]  # fmt: skip
    assert [event["after"] for event in lines[1]["events"]] == ["queued", "running", "unavailable"]
    assert settings.forgotten_log.stat().st_mode & 0o777 == 0o600
    assert [answer.status for answer in jobs.jobs.enqueue([request(DONE), request(ABSENT)])] == [
        "already there",
        "queued",
    ]


def test_dry_run_and_age_change_nothing(jobs: Ledger, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    run("--state", "done", "--dry-run")
    run("--older-than", "1h")
    assert capsys.readouterr().out == "1 job would be forgotten\n0 jobs forgotten\n"
    assert names(jobs) == [DONE, ABSENT, FAILED, LIVE]
    assert not settings.forgotten_log.exists()
    jobs.storage.connection.execute("UPDATE jobs SET ended_at = ? WHERE id = 1", [time.time() - 7200])
    jobs.storage.connection.commit()
    run("--older-than", "1h", "--json")
    assert json.loads(capsys.readouterr().out)["forgotten"] == 1
    assert names(jobs) == [ABSENT, FAILED, LIVE]


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no jobs are named"),
        (["--state", "queued"], "have not ended"),
        (["1", "-g", "g"], "not both"),
        (["--older-than", "soon"], "is not a duration"),
        (["SRR999999"], "is unknown"),
    ],
)
def test_wrong_selection_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(*words, code=2)
    assert said in capsys.readouterr().err


def test_file_that_cannot_be_written_keeps_the_jobs(jobs: Ledger, settings: Settings) -> None:
    settings.forgotten_log.parent.mkdir(exist_ok=True)
    settings.forgotten_log.symlink_to("/dev/full")
    run("--state", "done", code=75)
    assert names(jobs) == [DONE, ABSENT, FAILED, LIVE]
