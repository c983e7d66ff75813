"""Injects the planned faults.  A strike returns a function that ends it, or None if there was no target."""

from __future__ import annotations

import contextlib
import itertools
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.faults.machine import Doomed, Machine
from tests.faults.plan import SIGNALS, Kind, Strike, Target
from tests.support.polling import Stopwatch

NUMBER_OF = {
    Kind.KILL: signal.SIGKILL,
    Kind.STOP: signal.SIGSTOP,
    Kind.PAUSE: signal.SIGSTOP,
    Kind.TERM: signal.SIGTERM,
    Kind.HUP: signal.SIGHUP,
}
A_DAY = 86400
FILLERS = itertools.count(1)


def strike(what: Strike, machine: Machine) -> Callable[[], object] | None:
    """Start a fault; return the function that ends it, or None if there is no target at this time."""
    if what.kind in SIGNALS:
        return send(what, machine)
    if what.kind is Kind.KILL_ALL:
        return kill_all(what, machine)
    with ExitStack() as stack:
        try:
            stack.enter_context(trouble(what, machine))
        except sqlite3.Error:  # the database does not exist yet, or another process has locked it
            return None
        return stack.pop_all().close


def send(what: Strike, machine: Machine) -> Callable[[], object] | None:
    """Send a signal to one of the possible targets."""
    team = machine.team()
    victims = team.members(what.target)
    if not victims:
        return None
    victim = victims[what.pick % len(victims)]
    if what.kind is Kind.KILL and what.target in (Target.DAEMON, Target.WORKER):
        machine.doomed.append(Doomed(str(what), Stopwatch(), team.doomed_with(victim)))
    victim.kill(NUMBER_OF[what.kind])
    return (lambda: victim.kill(signal.SIGCONT)) if what.kind is Kind.PAUSE else nothing


def kill_all(what: Strike, machine: Machine) -> Callable[[], object] | None:
    """Kill the daemon, its workers, their guards and tools."""
    team = machine.team()
    if not team.daemon:
        return None
    machine.doomed.append(Doomed(str(what), Stopwatch(), team.doomed_with(team.daemon[0])))
    for process in (*team.daemon, *team.workers, *team.guards, *team.tools):
        process.kill()
    return nothing


def nothing() -> None:
    """Do nothing: this strike cannot be undone."""


def trouble(what: Strike, machine: Machine) -> contextlib.AbstractContextManager[None]:
    """Return a context in which something is wrong with the machine."""
    home, server = machine.home, machine.server
    kinds: dict[Kind, Callable[[], contextlib.AbstractContextManager[None]]] = {
        Kind.DISK_FULL: lambda: full(home.disk),
        Kind.DISK_BREAKS: machine.bad_disk.broken,
        Kind.LEDGER_LOCKED: lambda: locked(home.ledger),
        Kind.QUEUE_LOCKED: lambda: locked(home.path / "queue.db"),
        Kind.QUEUE_DELETED: lambda: without(home.path / "queue.db"),
        Kind.CLOCK_FORWARD: lambda: moved(machine, A_DAY),
        Kind.CLOCK_BACK: lambda: moved(machine, -A_DAY),
        Kind.LOCKS_FAIL: machine.bad_locks.broken,
        Kind.LOCK_REMOVED: lambda: without(home.path / "daemon.lock"),
        Kind.S3_EXPIRED: server.expired,
        Kind.S3_DOWN: server.down,
        Kind.S3_FROZEN: server.frozen,
        Kind.S3_WRONG: lambda: server.wrong(what.pick),
    }
    return kinds[what.kind]()


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """Fill the disk."""
    filler = disk / f"filler-{next(FILLERS)}"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size) == size:
                    pass
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the write lock of a database."""
    if not database.exists():
        raise sqlite3.OperationalError("the database does not exist")
    with contextlib.closing(sqlite3.connect(database, timeout=0.2, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


@contextlib.contextmanager
def without(path: Path) -> Iterator[None]:
    """Delete a file, with those that SQLite keeps beside a database."""
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    yield


@contextlib.contextmanager
def moved(machine: Machine, seconds: int) -> Iterator[None]:
    """Change the wall clock."""
    machine.clock.move(seconds)
    try:
        yield
    finally:
        machine.clock.move(0)
