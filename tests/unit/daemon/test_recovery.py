"""Recovery requeues the jobs of an earlier daemon, kills its processes, and quarantines jobs that crash it."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.builders import request
from wort_cli.daemon import recovery
from wort_cli.daemon.recovery import recover
from wort_cli.health.health_file import Health, HealthFile
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.lease import DAEMON
from wort_cli.pipeline.toolkit.processes import Processes
from wort_cli.pipeline.workspace import attempt_directory
from wort_cli.settings import Settings
from wort_cli.system.machine import killed_for_memory
from wort_cli.system.process_identity import ProcessIdentity, identity_of, own_identity
from wort_cli.system.seals import load_key


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def start_job(ledger: Ledger, owner: str = DAEMON) -> int:
    """Enqueue a job and claim it for an owner."""
    job_id = ledger.jobs.enqueue([request()])[0].job_id or 0
    assert ledger.attempts.claim(job_id, owner, 60.0) is not None
    return job_id


def write_processes(settings: Settings, job_id: int, worker: ProcessIdentity, owner: str = DAEMON) -> None:
    directory = attempt_directory(settings.workspace(job_id), 1)
    directory.mkdir(parents=True)
    Processes(owner, worker).write(directory, load_key(settings.key_file))


@pytest.fixture
def memory_ran_out(settings: Settings) -> None:
    """The last report of the earlier daemon is from before the kernel killed processes for memory."""
    now = killed_for_memory()
    assert now is not None
    file = HealthFile(settings.health_file)
    file.write(Health(1, 0.0, 1, 0.0, 0.0, 0.0, 2, 2, killed_for_memory=now - 1))
    file.close()


def test_job_that_was_running_in_a_crash_is_requeued(ledger: Ledger, settings: Settings) -> None:
    job_id = start_job(ledger)
    recover(ledger, settings)
    job = ledger.jobs.get(job_id)
    assert (job.state, job.reason, job.message) == (
        JobState.QUEUED,
        Reason.INTERRUPTED,
        ledger.jobs.events(job_id)[-1].message,
    )
    assert "died" in job.message
    assert ledger.suspects.all() == frozenset()


@pytest.mark.usefixtures("memory_ran_out")
def test_jobs_that_ran_when_memory_ran_out_are_tried_alone(ledger: Ledger, settings: Settings) -> None:
    names = ("SRR000001", "SRR000002", "SRR000003")
    ids = [answer.job_id or 0 for answer in ledger.jobs.enqueue([request(name) for name in names])]
    for death in range(settings.daemon_crashes + 2):
        for job_id in ids[:2]:
            assert ledger.attempts.claim(job_id, DAEMON, 60.0) is not None
        recover(ledger, settings)
        assert {ledger.jobs.get(job_id).state for job_id in ids} == {JobState.QUEUED}
        assert ledger.suspects.queued() == dict.fromkeys(ids[:2], death + 1)


@pytest.mark.parametrize("killed", [0, None])
def test_killed_daemons_set_no_job_aside(
    ledger: Ledger, settings: Settings, killed: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "killed_for_memory", lambda: killed)
    job_id = start_job(ledger)
    for death in range(settings.daemon_crashes + 2):
        if death:
            assert ledger.attempts.claim(job_id, DAEMON, 60.0) is not None
        recover(ledger, settings)
        assert ledger.jobs.get(job_id).state is JobState.QUEUED


@pytest.mark.usefixtures("memory_ran_out")
def test_job_that_was_alone_whenever_memory_ran_out_is_quarantined(ledger: Ledger, settings: Settings) -> None:
    job_id = start_job(ledger)
    for crash in range(settings.daemon_crashes):
        if crash:
            assert ledger.attempts.claim(job_id, DAEMON, 60.0) is not None
        recover(ledger, settings)
    job = ledger.jobs.get(job_id)
    assert (job.state, job.reason) == (JobState.FAILED, Reason.SET_ASIDE)


def test_progress_between_crashes_prevents_quarantine(ledger: Ledger, settings: Settings) -> None:
    job_id = start_job(ledger)
    slices = settings.workspace(job_id) / "slices"
    slices.mkdir(parents=True)
    for crash in range(settings.daemon_crashes + 2):
        if crash:
            assert ledger.attempts.claim(job_id, DAEMON, 60.0) is not None
        (slices / f"{crash}.slice").write_bytes(b"x")
        recover(ledger, settings)
    assert ledger.jobs.get(job_id).state is JobState.QUEUED


def test_daemon_that_was_killed_on_purpose_did_not_crash(ledger: Ledger, settings: Settings) -> None:
    job_id = start_job(ledger)
    for stop in range(settings.daemon_crashes + 2):
        if stop:
            assert ledger.attempts.claim(job_id, DAEMON, 60.0) is not None
        ledger.controls.set_killed_on_purpose(True)
        recover(ledger, settings)
        assert not ledger.controls.killed_on_purpose
    job = ledger.jobs.get(job_id)
    assert job.state is JobState.QUEUED
    assert "died" not in job.message


def test_end_of_the_machine_is_not_a_crash(ledger: Ledger, settings: Settings) -> None:
    """The processes of the job are recorded with an earlier boot."""
    job_id = start_job(ledger)
    write_processes(settings, job_id, replace(own_identity(), boot="earlier"))
    recover(ledger, settings)
    job = ledger.jobs.get(job_id)
    assert job.state is JobState.QUEUED
    assert "died" not in job.message


def test_remaining_worker_of_an_earlier_daemon_is_killed(
    ledger: Ledger, settings: Settings, sleeper: "subprocess.Popen[bytes]"
) -> None:
    job_id = start_job(ledger)
    worker = identity_of(sleeper.pid)
    assert worker is not None
    write_processes(settings, job_id, worker)
    recover(ledger, settings)
    assert sleeper.wait(60) == -9
    assert not attempt_directory(settings.workspace(job_id), 1).exists()


def test_job_of_a_live_process_is_left_alone(ledger: Ledger, settings: Settings) -> None:
    job_id = start_job(ledger, "process 1 on here")
    write_processes(settings, job_id, own_identity(), "process 1 on here")
    recover(ledger, settings)
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    assert attempt_directory(settings.workspace(job_id), 1).exists()


def test_file_of_an_earlier_version_is_removed(ledger: Ledger, settings: Settings) -> None:
    settings.work_dir.mkdir()
    (settings.work_dir / "promises.json").write_text("[]")
    recover(ledger, settings)
    assert not (settings.work_dir / "promises.json").exists()
