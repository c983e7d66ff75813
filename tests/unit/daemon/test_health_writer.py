"""The health file is written once a second, and at once when trouble starts or ends."""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import published, request
from tests.unit.daemon.conftest import Clock, WorkersWithoutProcesses
from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.health_writer import WRITE_EVERY, WRITE_LEDGER_EVERY, HealthWriter
from wort_cli.errors import StorageProblem
from wort_cli.health.health_file import Health, HealthFile, read_health
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult
from wort_cli.settings import Settings


@pytest.fixture
def writer(
    settings: Settings, ledger: Ledger, workers: WorkersWithoutProcesses, coordinator: Coordinator, clock: Clock
) -> Iterator[HealthWriter]:
    made = HealthWriter(settings, ledger, workers.count_alive, coordinator, clock=clock)
    yield made
    made.close()


def turn(writer: HealthWriter, clock: Clock, seconds: float, trouble: str = "") -> None:
    """Record a turn that takes so many seconds."""
    started = clock.now
    clock.advance(seconds)
    writer.record_turn(started, trouble)


def attempt_of(ledger: Ledger, job_id: int) -> int:
    """Start an attempt at a job; return its number."""
    job = ledger.attempts.claim(job_id, "me", 60)
    assert job is not None
    return job.attempt


def health_of(settings: Settings) -> Health:
    health = read_health(settings.health_file)
    assert health is not None
    return health


def test_turns_are_counted_and_averaged(writer: HealthWriter, settings: Settings, clock: Clock) -> None:
    for seconds in (1.0, 3.0, 2.0):
        turn(writer, clock, seconds)
    health = health_of(settings)
    assert (health.pid, health.turns, health.turned_at) == (os.getpid(), 3, clock.now)
    assert (health.last, health.mean, health.longest) == (2.0, 2.0, 3.0)
    assert (health.trouble, health.trouble_since) == ("", 0.0)


def test_file_is_written_once_a_second(writer: HealthWriter, settings: Settings, clock: Clock) -> None:
    turn(writer, clock, 0.1)
    turn(writer, clock, 0.1)
    assert health_of(settings).turns == 1
    turn(writer, clock, WRITE_EVERY)
    assert health_of(settings).turns == 3


def test_start_and_end_of_trouble_are_written_at_once(writer: HealthWriter, settings: Settings, clock: Clock) -> None:
    turn(writer, clock, 0.1)
    turn(writer, clock, 0.1, "the disk is full")
    first = health_of(settings)
    assert first.trouble == "the disk is full"
    assert first.trouble_since > 0
    turn(writer, clock, WRITE_EVERY, "the disk is full")
    assert health_of(settings).trouble_since == first.trouble_since
    turn(writer, clock, 0.1)
    assert health_of(settings).trouble == ""


def test_workers_and_blocking_are_reported(
    writer: HealthWriter,
    settings: Settings,
    clock: Clock,
    coordinator: Coordinator,
    workers: WorkersWithoutProcesses,
) -> None:
    coordinator.reconfigure(replace(settings, disk_reserve=10**18))
    coordinator.turn()
    turn(writer, clock, 0.1)
    health = health_of(settings)
    assert (health.workers, health.workers_wanted) == (2, 2)
    assert health.blocked_by == coordinator.blocked_by != ""


def test_damaged_disk_is_trouble(
    writer: HealthWriter, settings: Settings, clock: Clock, coordinator: Coordinator
) -> None:
    coordinator.reconfigure(replace(settings, data_dir=Path("/proc/self/home")))
    coordinator.turn()
    turn(writer, clock, 0.1)
    assert health_of(settings).trouble == coordinator.disk_damage != ""


def test_ledger_that_cannot_be_written_is_noticed_without_jobs(
    writer: HealthWriter, settings: Settings, ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn(writer, clock, 0.1)

    def fail() -> None:
        raise StorageProblem("the ledger cannot be written", "free some space")

    monkeypatch.setattr(ledger.controls, "write_timestamp", fail)
    turn(writer, clock, WRITE_LEDGER_EVERY - 1)
    assert health_of(settings).trouble == ""
    turn(writer, clock, 2)
    assert health_of(settings).trouble == "the ledger cannot be written"


def test_write_error_is_logged_once(
    writer: HealthWriter, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)

    def fail(*_: object) -> None:
        raise OSError("I/O error")

    monkeypatch.setattr(HealthFile, "write", fail)
    for _ in range(3):
        turn(writer, clock, WRITE_EVERY)
    assert caplog.messages == ["the health file cannot be written: I/O error"]


def test_refusal_of_all_requests_is_trouble(
    writer: HealthWriter, settings: Settings, ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(ledger.counts), "only_reason_since", lambda *_: "Location is required")
    turn(writer, clock, WRITE_EVERY)
    assert health_of(settings).trouble == "NCBI's locator refuses the requests of all jobs: Location is required"
    monkeypatch.setattr(type(ledger.counts), "only_reason_since", lambda *_: "")
    turn(writer, clock, WRITE_EVERY)
    assert health_of(settings).trouble == ""


def test_expired_credentials_are_trouble_until_a_job_is_done(
    writer: HealthWriter, settings: Settings, ledger: Ledger, clock: Clock
) -> None:
    ledger.jobs.enqueue([request("SRR000001"), request("SRR000002")])
    expired = Failure(Reason.STORAGE_CREDENTIALS, "the credentials have expired")
    for number in (1, 2):
        ledger.attempts.finish(JobResult(number, attempt_of(ledger, number), failure=expired), RetryPolicy())
    turn(writer, clock, WRITE_EVERY)
    assert health_of(settings).trouble == "no signature can be published: the credentials have expired"
    assert {job.state for job in (ledger.jobs.get(1), ledger.jobs.get(2))} == {JobState.WAITING}
    ledger.jobs.retry([1])
    done = JobResult(1, attempt_of(ledger, 1), published=published("SRR000001"))
    assert ledger.attempts.finish(done, RetryPolicy()) is JobState.DONE
    turn(writer, clock, WRITE_EVERY)
    assert health_of(settings).trouble == ""
