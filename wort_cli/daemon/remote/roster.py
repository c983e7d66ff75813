"""The workers on other hosts, as their beats show them.  When they were seen is of the coordinator's clock."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import wort_cli
from wort_cli.daemon.remote.wire import PROTOCOL, Beat
from wort_cli.errors import printable, shown
from wort_cli.health.workers_file import DRAINING, IDLE, REFUSED, SILENT, WORKING, WorkerSeen
from wort_cli.model.job import Progress

SILENT_AFTER = 20.0
"""Seconds without a beat after which a worker is sent no more jobs."""
TAKEN_WITHIN = 10.0
"""Seconds in which a worker that has taken an order says so, while all workers give signs."""
MOST_ENDED = 100
"""Ended jobs that the board names to a worker at a time, so that the board of many workers stays small."""

log = logging.getLogger(__name__)


@dataclass
class Worker:
    """A worker, and when its beat last changed."""

    beat: Beat
    seen_at: float

    @property
    def is_same_version(self) -> bool:
        """Whether it may be sent jobs."""
        return (self.beat.version, self.beat.protocol) == (wort_cli.__version__, PROTOCOL)


class Roster:
    """The workers of a coordinator's home."""

    def __init__(self, home: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._home = home
        self._clock = clock
        self._workers: dict[str, Worker] = {}
        self._unreadable: set[str] = set()
        self._ended: set[str] = set()
        """Workers that have ended, whose beats are still in the queue."""
        self.read_at = float("-inf")
        self._lost_at = float("-inf")

    def read(self, beats: Mapping[str, bytes]) -> None:
        """Read the beats that are in the queue."""
        now = self.read_at = self._clock()
        found = self._readable(beats)
        self._end_predecessors(found)
        for name, beat in found.items():
            known = self._workers.get(name)
            if name in self._ended or (known is not None and known.beat.number == beat.number):
                continue
            if known is None:
                log.info("a worker on %s (process %d) has %d jobs", shown(beat.host), beat.process.pid, beat.jobs)
            self._workers[name] = Worker(beat, now)
        for name in [name for name, worker in self._workers.items() if name not in beats]:
            # It ended and removed its beat, or the queue lost it: then the next beat restores it.
            if now - max(self._workers[name].seen_at, self._lost_at) > SILENT_AFTER:
                del self._workers[name]

    def _readable(self, beats: Mapping[str, bytes]) -> dict[str, Beat]:
        """Return the beats of workers of this home, and of those that do not know their home."""
        found = {}
        for name, data in beats.items():
            try:
                beat = Beat.unpack(data)
            except ValueError as error:
                if name not in self._unreadable:
                    log.warning("ignored an unreadable beat of a worker: %s", error)
                    self._unreadable.add(name)
                continue
            if beat.worker == name and beat.home in ("", self._home):
                found[name] = beat
        return found

    def _end_predecessors(self, found: Mapping[str, Beat]) -> None:
        """Forget the workers at whose place another one started later: a lock allows for only one, so they have ended.

        A worker that was killed leaves its beat in the queue, which shows nothing any more.
        """
        self._ended &= found.keys()
        beats = {name: worker.beat for name, worker in self._workers.items()} | dict(found)
        last: dict[str, str] = {}
        for name in sorted(beats, key=lambda name: (beats[name].process.started, name not in self._workers)):
            if name in self._ended:
                continue
            if (earlier := last.get(beats[name].place)) is not None:
                log.info("the worker %s has ended: another one runs at its place", shown(earlier))
                self._ended.add(earlier)
                self._workers.pop(earlier, None)
            last[beats[name].place] = name

    def queue_was_lost(self) -> None:
        """Note that the queue has lost its content: the beats of workers may be missing for a while."""
        self._lost_at = self._clock()

    def excuse_silence(self) -> None:
        """Restart all timeouts."""
        now = self._lost_at = self._clock()
        for worker in self._workers.values():
            worker.seen_at = now

    def find(self, job_id: int, attempt: int) -> tuple[str, float, Progress | None] | None:
        """Return which worker has an attempt, when it was seen, and the progress; None if none has it."""
        for name, worker in self._workers.items():
            found = worker.beat.running.get(job_id)
            if found is not None and found[0] == attempt:
                return name, worker.seen_at, found[1]
        return None

    def has_dropped(self, name: str, job_id: int, attempt: int) -> bool:
        """Return whether a worker that had an attempt has it no longer: it ended, or says so.

        A worker names an attempt until the board does not, so that nothing is missing between two beats.
        """
        worker = self._workers.get(name)
        return worker is None or (worker.beat.running.get(job_id) or (0,))[0] != attempt

    def took_too_long(self, sent_at: float) -> bool:
        """Return whether an order that is in the queue no longer should be in a beat by now, or was lost with it."""
        now = self._clock()
        signs = [worker.seen_at for worker in self._workers.values()]
        all_give_signs = bool(signs) and now - min(signs) < SILENT_AFTER
        return all_give_signs and now - max(sent_at, self._lost_at) > TAKEN_WITHIN

    def room(self, drained: Collection[str]) -> int:
        """Return how many jobs the workers take in all."""
        return sum(
            worker.beat.room
            for name, worker in self._workers.items()
            if worker.is_same_version
            and name not in drained
            and not worker.beat.draining
            and self._clock() - worker.seen_at < SILENT_AFTER
        )

    def count_alive(self) -> int:
        """Return how many workers give signs."""
        return sum(self._clock() - worker.seen_at < SILENT_AFTER for worker in self._workers.values())

    def host_of(self, name: str) -> str:
        """Return the host of a worker."""
        worker = self._workers.get(name)
        return printable(worker.beat.host)[:100] if worker else "another host"

    def gone(self, lease: float) -> list[str]:
        """Return the workers that have ended, or were silent for twice the lease, and forget them."""
        now = self._clock()
        found = [name for name, worker in self._workers.items() if now - worker.seen_at > 2 * lease]
        for name in found:
            del self._workers[name]
        return [*found, *self._ended]

    def ended_workspaces(
        self, ended: Callable[[Collection[int]], Collection[int]], running: Collection[int]
    ) -> dict[str, tuple[int, ...]]:
        """Return which of the workspaces that workers keep are not needed any more."""
        kept = {name: set(worker.beat.kept) - set(running) for name, worker in self._workers.items()}
        if not any(kept.values()):
            return {}
        done = set(ended(set().union(*kept.values())))
        return {name: tuple(sorted(jobs & done)[:MOST_ENDED]) for name, jobs in kept.items() if jobs & done}

    def seen(self, drained: Collection[str]) -> list[WorkerSeen]:
        """Return the workers as commands show them."""
        now = self._clock()
        return [
            WorkerSeen(
                worker=name,
                host=worker.beat.host,
                pid=worker.beat.process.pid,
                version=worker.beat.version,
                state=state_of(worker, drained, now - worker.seen_at),
                jobs=worker.beat.jobs,
                running=tuple(sorted(worker.beat.running)),
                silent=round(now - worker.seen_at, 1),
            )
            for name, worker in sorted(self._workers.items(), key=lambda item: (item[1].beat.host, item[0]))
        ]


def state_of(worker: Worker, drained: Collection[str], silent: float) -> str:
    """Return the state of a worker, as commands show it."""
    if not worker.is_same_version:
        return REFUSED
    if silent >= SILENT_AFTER:
        return SILENT
    if worker.beat.draining or worker.beat.worker in drained:
        return DRAINING
    return WORKING if worker.beat.running else IDLE
