"""Checks the final state of a campaign, after all strikes.  Each function yields one sentence per violation."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from tests.faults.machine import Machine
from tests.faults.plan import SIGNALS, Kind, Order, Strike
from tests.support.homes import LIVE, JobRow

ENDED_BY_A_SIGNAL = {Kind.KILL, Kind.KILL_ALL, Kind.TERM, Kind.HUP}
HELD_UP = {Kind.STOP, Kind.PAUSE, Kind.LEDGER_LOCKED, Kind.LOCKS_FAIL, Kind.QUEUE_LOCKED}
S3 = {Kind.S3_DOWN, Kind.S3_FROZEN, Kind.S3_WRONG, Kind.S3_EXPIRED}
EXPLAINED: dict[str, set[Kind]] = {
    "tool-crash": {*SIGNALS, Kind.KILL_ALL, Kind.DISK_FULL},
    "incomplete": ENDED_BY_A_SIGNAL,
    "interrupted": {
        *SIGNALS,
        *HELD_UP,
        Kind.KILL_ALL,
        Kind.LOCK_REMOVED,
        Kind.QUEUE_DELETED,
        Kind.DISK_FULL,
        Kind.DISK_BREAKS,
    },
    "set-aside": {*SIGNALS, *HELD_UP},  # three of them, see STRIKES_OUT
    "network": HELD_UP,
    "disk-low": {Kind.DISK_FULL},
    "disk-error": {Kind.DISK_BREAKS},
    "storage-down": {*S3, Kind.CLOCK_FORWARD, Kind.CLOCK_BACK},
    "storage-denied": {Kind.S3_WRONG},
    "storage-credentials": {Kind.S3_WRONG, Kind.S3_EXPIRED},
    "conflict": {Kind.S3_WRONG},
}
"""The reasons for which the job of a good run may fail, and the strikes that explain each of them."""
STRIKES_OUT = 3
"""The number of strikes that explain `set-aside`."""


def live(jobs: Sequence[JobRow]) -> list[JobRow]:
    """Return the jobs that have not ended."""
    return [job for job in jobs if job.state in LIVE]


def of_orders(orders: Sequence[Order], jobs: Sequence[JobRow]) -> Iterator[str]:
    """Each order has exactly one job, and there are no others."""
    names = [job.name for job in jobs]
    for order in orders:
        if (number := names.count(order.run)) != 1:
            yield f"{order.run} has {number} jobs"
    for name in sorted(set(names) - {order.run for order in orders}):
        yield f"{name} was not ordered"


def of_failures(
    orders: Sequence[Order], jobs: Sequence[JobRow], met: Mapping[str, Collection[Strike]]
) -> Iterator[str]:
    """Before the retry: a job with an unexpected state has failed, and a strike while it ran explains the reason."""
    ended = {job.name: job for job in jobs}
    for order in orders:
        job = ended.get(order.run)
        if job is None or (job.state, job.reason) == (order.case.state, order.case.reason):
            continue
        explaining = [str(one) for one in met.get(order.run, ()) if one.kind in EXPLAINED.get(job.reason, set())]
        needed = STRIKES_OUT if job.reason == "set-aside" else 1
        if job.state != "failed" or len(explaining) < needed:
            yield (
                f"{order.run} ({order.case.archive}) is {job.state}, {job.reason}: {job.message}; "
                f"it met {', '.join(map(str, met.get(order.run, ()))) or 'nothing'}"
            )


def of_outcomes(orders: Sequence[Order], jobs: Sequence[JobRow]) -> Iterator[str]:
    """After the retry, each job has the expected state."""
    ended = {job.name: job for job in jobs}
    for order in orders:
        job = ended.get(order.run)
        if job is not None and (job.state, job.reason) != (order.case.state, order.case.reason):
            yield f"in the end {order.run} ({order.case.archive}) is {job.state}, {job.reason}: {job.message}"


def of_ledger(machine: Machine) -> Iterator[str]:
    """The ledger is sound, the events of each job are consistent, and the catalog has each signature once."""
    home = machine.home
    for (answer,) in home.select("PRAGMA integrity_check"):
        if answer != "ok":
            yield f"the ledger: {answer}"
    for row in home.select("PRAGMA foreign_key_check"):
        yield f"the ledger: a row of {row[0]} has no parent row"
    for job_id, times in home.select(
        "SELECT job_id, count(*) FROM events WHERE after = 'done' GROUP BY job_id HAVING count(*) > 1"
    ):
        yield f"job {job_id} was done {times} times"
    for name, times in home.select("SELECT name, count(*) FROM signatures GROUP BY name HAVING count(*) > 1"):
        yield f"{name} is {times} times in the catalog"
    for job_id, state, last in home.select(
        "SELECT id, state, (SELECT after FROM events WHERE job_id = jobs.id ORDER BY id DESC LIMIT 1) AS last "
        "FROM jobs WHERE last IS NOT state"
    ):
        yield f"job {job_id} is {state}, its last event says {last}"
    for job_id, before, after in home.select(
        "SELECT job_id, before, after FROM events JOIN jobs ON jobs.id = job_id WHERE before <> '' "
        "AND NOT EXISTS (SELECT 1 FROM legal_moves AS m WHERE m.before = events.before AND m.after = events.after)"
    ):
        yield f"job {job_id} went from {before} to {after}"


def of_signatures(machine: Machine, orders: Sequence[Order], reference: Callable[[Order], bytes]) -> Iterator[str]:
    """The store, the catalog and the bucket have exactly the expected signatures, equal to the reference."""
    home, bucket = machine.home, machine.server.bucket
    done = [order for order in orders if order.case.state == "done"]
    catalog = {name for (name,) in home.select("SELECT name FROM signatures")}
    for name in sorted(catalog ^ {order.run for order in done}):
        yield f"the catalog {'has' if name in catalog else 'lacks'} {name}"
    for order in done:
        wanted, path = reference(order), home.signature_file(order.run)
        if not path.exists() or gzip.decompress(path.read_bytes()) != wanted:
            yield f"the signature of {order.run} ({order.case.archive}) {'differs' if path.exists() else 'is missing'}"
    expected = {home.signature_file(o.run) for o in done}
    expected |= {path.with_name(path.name.replace(".sig", ".prov.json")) for path in expected}
    for path in sorted(expected ^ set(home.signature_files())):
        yield f"in the store {path.name} is {'unexpected' if path.exists() else 'missing'}"
    keys = set(bucket.all_keys())
    for key in sorted(keys ^ {k for o in done for k in (f"sigs/{o.run}.sig", f"prov/{o.run}.json")}):
        yield f"in the bucket {key} is {'unexpected' if key in keys else 'missing'}"
    for order in done:
        if f"sigs/{order.run}.sig" in keys and bucket.signature(order.run) != reference(order):
            yield f"in the bucket the signature of {order.run} differs"


def of_leftovers(machine: Machine) -> Iterator[str]:
    """After the daemon was stopped, no process, lock or partial file is left."""
    home = machine.home
    for process in home.processes():
        yield f"process {process.pid} is left: {' '.join(process.argv)[:200]}"
    if is_locked(home.path / "daemon.lock"):
        yield "daemon.lock is still locked"
    for path in home.leftovers():
        yield f"{path.relative_to(home.root)} is left"
    try:
        with contextlib.closing(sqlite3.connect(home.ledger, timeout=1, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        yield f"the ledger cannot be written: {error}"


def is_locked(path: Path) -> bool:
    """Return whether a process has locked a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
