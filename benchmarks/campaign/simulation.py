"""The events of a campaign, in the order of their times.

An attempt, in order: claim; locate; fetch in pieces, over links that it shares; compute, in a slot, as soon as it has
one and while its archive arrives; publish.  It may fail for a reason of wort's table, or lose its machine.

Left out: what a worker does besides (a look at the bucket is in `publishing`), and the order in which transfers share a
link within a piece.  Runs that fit on no machine are not tried again: they would wait without end.
"""

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.campaign.daemon import Daemon
from benchmarks.campaign.decisions import Admission
from benchmarks.campaign.figures import Figures, use_of
from benchmarks.campaign.machines import Host, Worker, make_hosts
from benchmarks.campaign.pipes import PIECE, Pipe
from benchmarks.campaign.runs import Attempts, Run
from benchmarks.campaign.scenario import DAEMON, Scenario
from benchmarks.campaign.tasks import Tasks
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.pipeline.archives.fetch import LARGEST_CHUNK
from wort_cli.pipeline.reservations import Need

ARRIVED, ENDED, FAILED, FOUND_LOST, WAKE, PREEMPTED, REPLACED = range(7)
"""Kinds of events: a piece has arrived; an attempt has ended, or has failed early; and so on."""
WITHOUT_ARCHIVE = frozenset(
    {Reason.NOT_FOUND, Reason.CONTROLLED, Reason.WITHDRAWN, Reason.NETWORK, Reason.RATE_LIMITED}
)
"""Failures that are known before anything is fetched."""
HEAD = 2
"""Requests besides those for chunks: for the locator's answer, and for the head of the archive."""
IN_BUCKET = 3
"""HEAD requests to the bucket: before all else, and to confirm the two objects."""
SEALED = 11
"""Bytes of a sealed signature for each hash (pipeline/resources.py), which has three sketches with scaled=1000."""


class Simulation:
    """One campaign."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.figures = Figures()
        rng = np.random.default_rng(scenario.seed)
        self._source: Daemon | Tasks = (Daemon if scenario.engine == DAEMON else Tasks)(scenario, rng, self.figures)
        machine = scenario.machine
        rate = min(machine.network, scenario.connections * scenario.per_connection)
        one = (1, machine.jobs, scenario.fetch_ahead)
        workers, slots, ahead = one if scenario.engine == DAEMON else (machine.jobs, 1, 0)
        self.hosts = make_hosts(scenario.machines, rate, workers, slots, ahead)
        self._archive = Pipe(scenario.in_all)
        self._locator = Pipe(scenario.locator_per_second)
        self._cores = [Pipe(1.0) for _ in self.hosts]
        """Busy by the share of a machine's slots that compute."""
        self._fates = Attempts(scenario.passing, rng.spawn(1)[0])
        self._random = random.Random(scenario.seed)
        self._admission = Admission(scenario)
        self._events: list[tuple[float, int, int, object, int]] = []
        self._number = 0
        self._left = scenario.runs
        self._idle: dict[int, Worker] = {}
        self._wake_at = math.inf
        self._lost: dict[int, float] = {}
        """The times since which the workers of lost attempts are silent, by run."""
        self._fate: dict[int, Reason] = {}
        """Why the present attempt of a run fails when it has been computed."""
        self._to_fetch: dict[int, float] = {}
        """Bytes that the present attempt has yet to request, of archives of several pieces."""
        self._needs: dict[int, Need] = {}

    # ---- The loop

    def run(self) -> Figures:
        """Simulate until each run has ended; return the figures."""
        self._start()
        now, t90 = 0.0, 0.1 * self.scenario.runs
        handlers: dict[int, Callable[[Any, int, float], None]] = {
            ARRIVED: self._arrived,
            ENDED: self._ended,
            FAILED: self._failed_early,
            FOUND_LOST: self._found_lost,
            WAKE: self._woken,
            PREEMPTED: self._preempted,
            REPLACED: self._replaced,
        }
        events, pop = self._events, heapq.heappop
        while self._left:
            now, _, kind, subject, epoch = pop(events)
            handlers[kind](subject, epoch, now)
            if t90 and self._left <= t90:
                t90 = 0
                self.figures.at_90 = self._use(now)
        self.figures.machine_seconds = sum(host.busy_until for host in self.hosts)
        return self.figures

    def _start(self) -> None:
        for host in self.hosts:
            self._plan_preemption(host, 0.0)
            for worker in host.workers:
                self._fill(worker, 0.0)

    def _use(self, now: float) -> dict[str, float]:
        pipes = {
            "cores": self._cores,
            "link of each machine": [host.link for host in self.hosts],
            "archive": [self._archive],
            "locator": [self._locator],
        }
        if isinstance(self._source, Daemon):
            pipes["coordinator"] = [self._source.coordinator]
        return use_of(pipes, now)

    def _push(self, at: float, kind: int, subject: object, epoch: int = 0) -> None:
        self._number += 1
        heapq.heappush(self._events, (at, self._number, kind, subject, epoch))

    # ---- An attempt

    def _fill(self, worker: Worker, now: float) -> None:
        """Start runs on a worker until it has enough, or there are none."""
        while worker.host.up and worker.attempts < worker.most:
            run = self._source.next(worker)
            if run is None:
                self._idle[id(worker)] = worker
                self._wake_later(now)
                return
            self._begin(run, worker, now)

    def _begin(self, run: Run, worker: Worker, now: float) -> None:
        figures, scenario = self.figures, self.scenario
        run.attempt += 1
        run.epoch += 1
        run.ready, run.slot_at = run.sealed, -1.0
        run.host, run.worker = worker.host.index, worker.host.workers.index(worker)
        worker.attempts += 1
        worker.host.running[run.id] = run
        figures.attempts += 1
        figures.requests += HEAD + IN_BUCKET
        start = self._source.claimed(now)
        fate = run.reason or self._fates.draw()
        if run.sealed:
            self._push(start + scenario.publishing, ENDED, run, run.epoch)
            return
        if self._is_down("archive", start):
            self._fail_at(start + scenario.noticed_after, run, Reason.NETWORK)
            return
        start = self._locator.serve(start) + scenario.locating
        if fate in WITHOUT_ARCHIVE:
            self._fail_at(start, run, fate)
            return
        if run.bases > self._admission.small and (lack := self._reserve(run, worker.host)):
            self._fail_at(start, run, lack)
            return
        if fate is not None:
            self._fate[run.id] = fate
        self._request(run, worker.host, start, run.bases * scenario.bytes_per_base * (1 - run.fetched))
        if worker.free:
            worker.free -= 1
            run.slot_at = start
        else:
            worker.waiting.append((run, run.epoch))

    def _reserve(self, run: Run, host: Host) -> Reason | None:
        """Reserve what a large run needs; return what is short, and leave it alone if no machine has enough."""
        need = self._admission.need(run.bases)
        lack = self._admission.shortage(need, host.reserved)
        if lack is None:
            self._needs[run.id] = need
            host.reserved += need
        return lack

    def _fail_at(self, at: float, run: Run, reason: Reason | None) -> None:
        assert reason is not None
        self._fate[run.id] = reason
        self._push(at, FAILED, run, run.epoch)

    def _request(self, run: Run, host: Host, at: float, size: float) -> None:
        piece = min(size, PIECE)
        if size > piece:
            self._to_fetch[run.id] = size - piece
        self.figures.fetched += piece
        self.figures.requests += 1 + int(piece / LARGEST_CHUNK)
        self._push(max(host.link.serve(at, piece), self._archive.serve(at, piece)), ARRIVED, run, run.epoch)

    def _arrived(self, run: Run, epoch: int, now: float) -> None:
        if epoch != run.epoch:
            return
        left = self._to_fetch.pop(run.id, 0.0)
        if self._is_down("archive", now):
            run.fetched = max(0.0, 1 - left / (run.bases * self.scenario.bytes_per_base))
            self._fate[run.id] = Reason.NETWORK
            self._end(run, now)
        elif left:
            self._request(run, self.hosts[run.host], now, left)
        else:
            run.fetched, run.ready = 1.0, True
            if run.slot_at >= 0:
                self._push(self._computed_at(run, now), ENDED, run, run.epoch)

    def _computed_at(self, run: Run, now: float) -> float:
        """Return when a run is published whose archive is there, and which has a slot."""
        return max(now, run.slot_at + self._wall(run)) + self.scenario.publishing

    def _wall(self, run: Run) -> float:
        return self.scenario.per_run + run.bases * self.scenario.per_base / self.scenario.machine.threads

    def _failed_early(self, run: Run, epoch: int, now: float) -> None:
        if epoch == run.epoch:
            self._end(run, now)

    def _ended(self, run: Run, epoch: int, now: float) -> None:
        if epoch != run.epoch:
            return
        if run.id not in self._fate and self._is_down("store", now):
            self._fate[run.id] = Reason.STORAGE_DOWN
        self._end(run, now)

    def _end(self, run: Run, now: float) -> None:
        """End an attempt, and let its worker continue."""
        host = self.hosts[run.host]
        worker = host.workers[run.worker]
        reason = self._fate.pop(run.id, None)
        computed = run.slot_at >= 0 and run.ready
        self._to_fetch.pop(run.id, None)
        self._detach(run, host)
        worker.attempts -= 1
        host.busy_until = now
        if computed:
            self._count_cpu(run, host)
        if run.slot_at >= 0:
            self._pass_slot_on(worker, now)
        if reason is None:
            self._done(run, now)
        else:
            self._failed(run, reason, now, sealed=computed and reason is Reason.STORAGE_DOWN)
        self._fill(worker, now)

    def _detach(self, run: Run, host: Host) -> None:
        run.epoch += 1
        del host.running[run.id]
        if need := self._needs.pop(run.id, None):
            kept = host.reserved
            host.reserved = Need(kept.work - need.work, kept.store - need.store, kept.memory - need.memory)

    def _count_cpu(self, run: Run, host: Host) -> None:
        wall = self._wall(run)
        self.figures.cpu += wall * self.scenario.machine.threads
        self._cores[host.index].busy += wall / self.scenario.machine.jobs

    def _pass_slot_on(self, worker: Worker, now: float) -> None:
        while worker.waiting:
            run, epoch = worker.waiting.popleft()
            if epoch == run.epoch:
                run.slot_at = now
                if run.ready:
                    self._push(self._computed_at(run, now), ENDED, run, run.epoch)
                return
        worker.free += 1

    # ---- Results of runs

    def _done(self, run: Run, now: float) -> None:
        self._source.ended(run)
        self.figures.bases.add(now, run.bases)
        self.figures.puts += 2
        self.figures.stored += 3 * run.bases * self.scenario.distinct / 1000 * SEALED
        self._count_end(JobState.DONE, "", now)

    def _failed(self, run: Run, reason: Reason, now: float, *, sealed: bool = False) -> None:
        self.figures.failures[reason] += 1
        state, why = self._source.failed(run, reason, now)
        run.sealed = run.sealed or sealed
        if state is JobState.WAITING and (lack := self._lack_anywhere(run)):
            self._source.forget(run)
            self._count_end(state, lack, now)
        elif state is not JobState.WAITING:
            self._count_end(state, why, now)
        self._wake_later(now)

    def _lack_anywhere(self, run: Run) -> Reason | None:
        """Return what every machine lacks for a run, also while it runs nothing else; None if it fits."""
        if run.bases <= self._admission.small:
            return None
        return self._admission.shortage(self._admission.need(run.bases), Need())

    def _count_end(self, state: JobState, reason: str, now: float) -> None:
        self._left -= 1
        self.figures.outcomes[str(state), str(reason)] += 1
        self.figures.ended.add(now, 1)

    def _wake_later(self, now: float) -> None:
        at = self._source.next_wake(now, idle=bool(self._idle))
        if at is not None and at < self._wake_at:
            self._wake_at = at
            self._push(at, WAKE, None)

    def _woken(self, _: object, __: int, now: float) -> None:
        self._wake_at = math.inf
        if self._source.wake(now):
            self._fill_idle(now)
        self._wake_later(now)

    def _fill_idle(self, now: float) -> None:
        idle, self._idle = self._idle, {}
        for worker in idle.values():
            self._fill(worker, now)

    # ---- Machines that are lost, and servers that are down

    def _is_down(self, what: str, at: float) -> bool:
        return any(outage.start <= at < outage.end and outage.what == what for outage in self.scenario.outages)

    def _plan_preemption(self, host: Host, now: float) -> None:
        if rate := self.scenario.machine.preempted_per_hour:
            self._push(now + 3600 * self._random.expovariate(rate), PREEMPTED, host)

    def _preempted(self, host: Host, _: int, now: float) -> None:
        runs = list(host.running.values())
        self.figures.lost += len(runs)
        for run in runs:
            self._detach(run, host)
            self._fate.pop(run.id, None)
            self._to_fetch.pop(run.id, None)
            run.fetched = 0.0
            if run.slot_at >= 0:
                done = min(self._wall(run), max(0.0, now - run.slot_at)) * self.scenario.machine.threads
                self.figures.cpu += done
                self.figures.cpu_lost += done
        host.up, host.busy_until = False, now
        for worker in host.workers:
            worker.forget_attempts()
            self._idle.pop(id(worker), None)
            self._source.give_back(worker)
        self._push(now + self.scenario.machine.replaced_after, REPLACED, host)
        at = self._source.lost(runs, now)
        if isinstance(self._source, Daemon):
            for run in runs:
                self._lost[run.id] = now
                self._push(math.nextafter(at, math.inf), FOUND_LOST, run, run.epoch)
        self._wake_later(now)

    def _found_lost(self, run: Run, epoch: int, now: float) -> None:
        assert isinstance(self._source, Daemon) and epoch == run.epoch
        if not self._source.is_lost(self._lost[run.id], now):  # the limit is not over
            self._push(now + 1.0, FOUND_LOST, run, epoch)
            return
        del self._lost[run.id]
        if self._source.requeue(run):
            self._fill_idle(now)
        else:
            self._failed(run, Reason.INTERRUPTED, now)

    def _replaced(self, host: Host, _: int, now: float) -> None:
        host.up = True
        self._plan_preemption(host, now)
        for worker in host.workers:
            self._fill(worker, now)


def simulate(scenario: Scenario, **changes: object) -> Figures:
    """Simulate a campaign; `changes` are fields of its scenario."""
    return Simulation(replace(scenario, **changes)).run()  # type: ignore[arg-type]
