"""A home that several machines or containers see: every place that judges processes knows only those of its own.

One table: each place, with a process of another boot (another machine, or this one before it booted) and with one in
another PID namespace (a container).  The process id, and mostly the start time, are those of a process that runs here.
"""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.builders import request
from wort_cli.daemon.abandoned import AbandonedJobs
from wort_cli.daemon.recovery import memory_ran_out, recover
from wort_cli.foreground import requeue_if_abandoned
from wort_cli.health.health_file import Health, HealthFile
from wort_cli.health.status import health_of
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.owners import find_owner
from wort_cli.model.job import JobState
from wort_cli.model.lease import DAEMON, Claim, OwnerState, process_owner
from wort_cli.pipeline.reservations import UNCHANGED_FOR, Need, Reservation, reservations
from wort_cli.pipeline.toolkit.processes import Processes, kill_attempt, kill_leftovers, may_be_running
from wort_cli.pipeline.workspace import attempt_directory
from wort_cli.settings import Settings
from wort_cli.system.atomic_files import atomic_file, partial_suffix
from wort_cli.system.cancellation import Cancellation, Cancelled
from wort_cli.system.daemon_lock import DaemonInfo, acquire_lock, daemon_is_running, running_daemon
from wort_cli.system.locked_json import locked_json
from wort_cli.system.machine import killed_for_memory
from wort_cli.system.process_identity import (
    Presence,
    ProcessIdentity,
    is_running,
    kill_group,
    kill_process,
    own_identity,
    presence_of,
    signal_process,
)
from wort_cli.system.rate_limit import RateLimit
from wort_cli.system.seals import load_key
from wort_cli.system.slots import Slots
from wort_cli.upkeep.leftovers import PARTIAL_GRACE, partial_files

OTHER_BOOT = replace(own_identity(), boot="00000000-another-boot")
OTHER_CONTAINER = replace(own_identity(), namespace=7)
OWNERS = [
    process_owner(socket.gethostname(), OTHER_BOOT),
    process_owner(socket.gethostname(), OTHER_CONTAINER),
    process_owner("login2", own_identity()),
]
NOBODY = (OTHER_BOOT, OTHER_CONTAINER)


@dataclass(frozen=True)
class Place:
    """A place that judges a process, and what it must answer about one of elsewhere."""

    name: str
    judge: Callable[[ProcessIdentity], object]
    answer: object


PLACES = [
    Place("presence_of", presence_of, Presence.UNKNOWN),
    Place("is_running", is_running, False),
    Place("kill_process", kill_process, False),
    Place("signal_process", lambda process: signal_process(process, 9), False),
    Place("kill_group", kill_group, False),
    Place("may_be_running", lambda process: may_be_running(Processes("daemon of old", process)), True),
    Place("health_of", lambda process: health_of(daemon_of(process), report_of(own_identity())), None),
    Place("health_of, other way round", lambda process: health_of(daemon_of(own_identity()), report_of(process)), None),
    Place("where", lambda process: bool(daemon_of(process).where), True),
]


def daemon_of(process: ProcessIdentity) -> DaemonInfo:
    return DaemonInfo(process.pid, 1.0, "0", socket.gethostname(), process)


def report_of(process: ProcessIdentity) -> Health:
    """Return the report of a daemon.  One in another container has another start time."""
    started = process.started + (process.namespace == OTHER_CONTAINER.namespace)
    return Health(process.pid, 1.0, 1, 0.0, 0.0, 0.0, 1, 1, boot=process.boot, started=started)


@pytest.mark.parametrize("process", NOBODY, ids=["boot", "container"])
@pytest.mark.parametrize("place", PLACES, ids=[place.name for place in PLACES])
def test_process_of_elsewhere_is_not_taken_for_one_of_here(place: Place, process: ProcessIdentity) -> None:
    if place.name.startswith("health_of") and process == OTHER_CONTAINER:
        process = replace(process, started=process.started + 1)
    assert place.judge(process) == place.answer


# ---- Jobs


@pytest.mark.parametrize("owner", OWNERS, ids=range(len(OWNERS)))
def test_job_of_elsewhere_is_requeued_only_once_its_lease_is_not_renewed(
    ledger: Ledger, settings: Settings, owner: str
) -> None:
    assert find_owner(owner, daemon_runs=None) is OwnerState.UNKNOWN
    job_id = ledger.jobs.enqueue([request()])[0].job_id or 0
    assert ledger.attempts.claim(job_id, owner, 60.0) is not None
    requeue_if_abandoned(job_id, ledger, settings)
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    now = [0.0]
    watch = AbandonedJobs(lambda: now[0])
    claim = Claim(job_id, 1, owner, 1.0)
    for now[0], found in ((0.0, []), (59.0, []), (61.0, [claim])):
        assert watch.abandoned([claim], 60.0) == found
    recover(ledger, settings)
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    ledger.attempts.extend_lease(job_id, 1, -1.0)
    requeue_if_abandoned(job_id, ledger, settings)
    assert ledger.jobs.get(job_id).state is JobState.QUEUED


@pytest.mark.parametrize("process", NOBODY)
def test_attempt_of_elsewhere_is_neither_killed_nor_removed(
    tmp_path: Path, settings: Settings, process: ProcessIdentity
) -> None:
    key = load_key(settings.key_file)
    attempt = tmp_path / "7" / "attempt-1"
    attempt.mkdir(parents=True)
    Processes(process_owner(socket.gethostname(), process), process, process).write(attempt, key)
    assert not kill_attempt(attempt, key)
    assert list(kill_leftovers(tmp_path, key)) == []
    assert attempt.is_dir()
    Processes(DAEMON, process, process).write(attempt, key)  # of a daemon whose lock this one has got: it has ended
    assert list(kill_leftovers(tmp_path, key)) == [(attempt, False)]


def test_death_of_a_daemon_of_another_boot_is_no_crash(ledger: Ledger, settings: Settings) -> None:
    job_id = ledger.jobs.enqueue([request()])[0].job_id or 0
    assert ledger.attempts.claim(job_id, DAEMON, 60.0) is not None
    directory = attempt_directory(settings.workspace(job_id), 1)
    directory.mkdir(parents=True)
    Processes(DAEMON, OTHER_BOOT).write(directory, load_key(settings.key_file))
    killed = killed_for_memory()
    assert killed is not None
    file = HealthFile(settings.health_file)
    for process, by_memory in ((own_identity(), True), (OTHER_BOOT, False)):
        file.write(replace(report_of(process), killed_for_memory=killed - 1))
        assert memory_ran_out(settings) is by_memory
    file.close()
    recover(ledger, settings)
    assert ledger.suspects.all() == frozenset()
    assert "died" not in ledger.jobs.get(job_id).message


# ---- Reservations, slots, rates, files


@pytest.mark.parametrize(
    ("process", "memory"),
    [(OTHER_BOOT, 0), (OTHER_CONTAINER, 10**15), (replace(OTHER_CONTAINER, pid=4_194_304), 10**15)],
)
def test_reservation_of_elsewhere_is_valid_while_its_files_change(
    tmp_path: Path, process: ProcessIdentity, memory: int
) -> None:
    attempt, slices = tmp_path / "7" / "attempt-1", tmp_path / "7" / "slices"
    attempt.mkdir(parents=True)
    slices.mkdir()
    (slices / "0").write_bytes(b"x" * 300)
    with reservations(tmp_path) as book:
        book.add(Reservation(attempt, process, Need(1000, 200, 10**15), 0, slices))
    for path in (attempt, slices):
        os.utime(path, (0, 0))
    with reservations(tmp_path) as book:
        assert book.outstanding == Need(700, 200, memory)
    os.utime(slices / "0", (time.time(), time.time() - UNCHANGED_FOR - 1))
    with reservations(tmp_path) as book:
        assert book.outstanding == Need()


def test_slots_of_another_machine_are_neither_counted_nor_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = Slots(tmp_path, 1)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("wort_cli.system.slots.boot_tag", lambda: "00000000")
        theirs = slots.take(place="1")
        (tmp_path / "waiting-00000000-0").touch()
        assert slots.is_wanted()
    assert not slots.is_wanted()
    with slots.taken(place="2"), pytest.raises(Cancelled):
        slots.take(Cancellation(lambda: True), "3")
    there = {"held-00000000-1", "waiting-00000000-0"}
    assert there <= {path.name for path in tmp_path.iterdir()}
    for name in there:
        os.utime(tmp_path / name, (0, 0))
    with slots.taken(place="2"):
        pass
    assert there & {path.name for path in tmp_path.iterdir()} == {"held-00000000-1"}, "its lock is seen here"
    theirs()


def test_machines_that_share_a_disk_have_a_schedule_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = RateLimit(tmp_path, "ncbi", 0.0)
    rate.pause(100.0)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("wort_cli.system.rate_limit.boot_id", lambda: "another")
        assert rate.paused_for() == 0
        rate.pause(1000.0)
    assert 0 < rate.paused_for() <= 100
    for number in range(30):
        monkeypatch.setattr("wort_cli.system.rate_limit.boot_id", lambda number=number: f"boot {number}")
        rate.wait_turn()
    with locked_json(tmp_path / "ncbi.json") as document:
        assert list(document.data) == [f"boot {number}" for number in range(14, 30)]


def test_unfinished_file_of_another_machine_is_left_alone_for_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("wort_cli.system.atomic_files.boot_tag", lambda: "00000000")
        theirs = tmp_path / f"x.sig{partial_suffix()}"
    old = tmp_path / "y.sig.partial"  # the name in earlier versions
    for path in (theirs, old):
        path.write_bytes(b"half")
    with atomic_file(tmp_path / "x.sig") as file:
        file.write(b"ours")
        assert [found for found in partial_files(tmp_path) if found] == []
    assert theirs.read_bytes() == b"half"
    for path in (theirs, old):
        os.utime(path, (0, time.time() - PARTIAL_GRACE - 1))
    assert [found.path for found in partial_files(tmp_path) if found] == [theirs, old]


def test_daemon_of_another_machine_whose_lock_is_not_seen_runs_while_it_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = acquire_lock(tmp_path / "daemon.lock")
    lock.write_info()
    lock.close()
    assert running_daemon(tmp_path / "daemon.lock") is None
    monkeypatch.setattr("os.uname", lambda: SimpleNamespace(nodename="login2"))
    assert running_daemon(tmp_path / "daemon.lock") is None
    assert daemon_is_running(tmp_path / "daemon.lock") is None
    report = tmp_path / "health"
    report.write_text("0")
    reports = iter(range(1, 100))
    monkeypatch.setattr("time.sleep", lambda _: report.write_text(str(next(reports))))
    found = running_daemon(tmp_path / "daemon.lock")
    assert found is not None
    assert "on the host" in found.where
    assert daemon_is_running(tmp_path / "daemon.lock") is True
    os.utime(report, (0, 0))
    assert running_daemon(tmp_path / "daemon.lock") is None, "its last report is old"
    assert asdict(found)["host"] != "login2"
