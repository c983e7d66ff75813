"""`wort worker list` and `wort worker drain` with hosts that are gone, or have odd names."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.small_world import SmallWorld
from wort_cli.commands.doctor import check_daemon
from wort_cli.errors import ExitCode
from wort_cli.health.workers_file import IDLE, SILENT, WORKING, WorkerSeen, write_workers
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings, load_settings
from wort_cli.system.daemon_lock import acquire_lock

ODD = ("node\x1b[2J", "a\nb", "näme", "a b; rm -rf /", "$(reboot)")


def seen(
    host: str, state: str = WORKING, silent: float = 0.5, number: int = 1, running: tuple[int, ...] = (1, 2)
) -> WorkerSeen:
    return WorkerSeen(f"{number:016x}-1", host, 7, "0.1.0", state, 2, running, silent)


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    made = SmallWorld(tmp_path / "home", None)
    made.env |= {"WORT_QUEUE": "redis://queue.example.org/0", "WORT_S3_BUCKET": ""}
    return made


@pytest.fixture
def settings(world: SmallWorld) -> Iterator[Settings]:
    """The settings of the home, whose daemon seems to run."""
    made = load_settings(world.env)
    made.make_directories()
    lock = acquire_lock(made.lock_file)
    lock.write_info()
    yield made
    lock.close()


def drained(settings: Settings) -> set[str]:
    ledger = Ledger(settings.ledger_file)
    try:
        return set(ledger.controls.drained)
    finally:
        ledger.close()


def test_host_that_gives_no_sign_is_drained_with_a_sentence(world: SmallWorld, settings: Settings) -> None:
    write_workers(settings.workers_file, [seen("gone", SILENT, 321.4), seen("other", number=2)])
    done = world("worker", "drain", "gone")
    assert (
        done.code == 0 and "it gave no sign for 321 s: if it is gone, its jobs are queued again after 900 s" in done.out
    )
    assert drained(settings) == {seen("gone").worker}


def test_worker_without_a_job_ends_at_once(world: SmallWorld, settings: Settings) -> None:
    write_workers(settings.workers_file, [seen("idle", IDLE, running=())])
    assert world("worker", "drain", "idle").out == "idle takes no more jobs; its worker ends now\n"


@pytest.mark.usefixtures("settings")
def test_limit_of_jobs_is_shown_only_if_it_was_set(world: SmallWorld) -> None:
    """Each worker has a limit of its own, so that `jobs` of the daemon's host does not count."""
    assert json.loads(world("daemon", "status", "--json").out)["jobs"] is None
    world("daemon", "jobs", "3")
    assert json.loads(world("daemon", "status", "--json").out)["jobs"] == 3


@pytest.mark.parametrize("host", ODD)
def test_odd_name_of_a_host_is_escaped_and_can_be_drained(world: SmallWorld, settings: Settings, host: str) -> None:
    write_workers(settings.workers_file, [seen(host), seen("other", number=2)])
    (line,) = [line for line in world("worker", "list").out.splitlines() if "other" not in line][1:]
    shown = line.split("\t")[0]
    assert shown.isprintable()
    done = world("worker", "drain", shown)
    assert done.code == 0 and done.out.rstrip("\n").isprintable() and "its worker ends after 2 jobs" in done.out
    assert drained(settings) == {seen(host).worker}


def test_host_that_is_not_there_is_refused(world: SmallWorld, settings: Settings) -> None:
    write_workers(settings.workers_file, [])
    refused = world("worker", "drain", "x\x1b[2J")
    assert refused.code == 2 and "no worker runs on 'x\\x1b[2J'" in refused.err
    assert not drained(settings)


def test_hints_on_a_host_that_only_computes_name_the_worker(world: SmallWorld) -> None:
    done = world("worker", "list")
    assert done.code == ExitCode.NO_DAEMON and "run this on the coordinator's host" in done.err
    (found,) = check_daemon(load_settings(world.env))
    assert found.state == "warning" and "a host that computes needs `wort worker`" in found.fix
