"""The course of an attempt, and what it takes of links, servers, cores, memory and disk.

In order: claim; locate; fetch in pieces, over links that it shares; compute, in a slot, as soon as it has one and while
its archive arrives; publish.  It may fail for a reason of wort's table, or its machine is lost.

Left out: what a worker does besides (a look at the bucket is in `publishing`), and the order in which transfers share a
link within a piece.
"""

from collections.abc import Callable

from benchmarks.campaign.agenda import Agenda
from benchmarks.campaign.decisions import Admission
from benchmarks.campaign.figures import Figures
from benchmarks.campaign.machines import Host, Worker
from benchmarks.campaign.pipes import PIECE, Pipe
from benchmarks.campaign.runs import PassingFailures, Run
from benchmarks.campaign.scenario import Scenario
from benchmarks.campaign.servers import Servers
from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.fetch import LARGEST_CHUNK
from wort_cli.pipeline.reservations import Need

WITHOUT_ARCHIVE = frozenset(
    {Reason.NOT_FOUND, Reason.CONTROLLED, Reason.WITHDRAWN, Reason.NETWORK, Reason.RATE_LIMITED}
)
"""Failures that are known before anything is fetched."""
HEAD = 2
"""Requests besides those for chunks: for the locator's answer, and for the head of the archive."""
IN_BUCKET = 3
"""HEAD requests to the bucket: before all else, and to confirm the two objects."""


class Attempts:
    """Runs attempts; calls `ended` with the run, why it failed (None if it is done), and the time."""

    def __init__(
        self,
        scenario: Scenario,
        agenda: Agenda,
        servers: Servers,
        failures: PassingFailures,
        figures: Figures,
        *,
        claim: Callable[[float], float],
        ended: Callable[[Run, Reason | None, float], None],
    ) -> None:
        self.admission = Admission(scenario)
        self.cores = [Pipe(1.0) for _ in range(scenario.machines)]
        """For each machine, busy by the share of its slots that compute."""
        self._scenario = scenario
        self._agenda = agenda
        self._servers = servers
        self._failures = failures
        self._figures = figures
        self._claim = claim
        self._ended = ended
        self._threads = scenario.machine.threads
        self._per_base = scenario.per_base / self._threads
        self._needs: dict[int, Need] = {}
        """The reservations of large runs, by their ids."""

    def begin(self, run: Run, worker: Worker, now: float) -> None:
        """Start an attempt on a worker that has room for it."""
        scenario, figures = self._scenario, self._figures
        run.epoch += 1
        run.ready, run.slot_at, run.worker = run.sealed, -1.0, worker
        worker.attempts += 1
        worker.host.running[run.id] = run
        figures.attempts += 1
        figures.requests += HEAD + IN_BUCKET
        start = self._claim(now)
        fate = run.reason or self._failures.draw()
        if run.sealed:
            self._agenda.add(start + scenario.publishing, self._at_end, run, run.epoch)
            return
        if self._servers.archive_is_down(start):
            self._fail_at(start + scenario.noticed_after, run, Reason.NETWORK)
            return
        start = self._servers.locator.serve(start) + scenario.locating
        if fate in WITHOUT_ARCHIVE:
            self._fail_at(start, run, fate)
            return
        if run.bases > self.admission.small and (lack := self._reserve(run, worker.host)):
            self._fail_at(start, run, lack)
            return
        run.fate = fate
        if worker.free:
            worker.free -= 1
            run.slot_at = start
        else:
            worker.waiting.append((run, run.epoch))
        self._request(run, start, run.bases * scenario.bytes_per_base * (1 - run.fetched))

    def lose(self, run: Run, now: float) -> None:
        """End an attempt because its machine is lost, and with it what was fetched and computed."""
        self._detach(run)
        run.fate, run.to_fetch, run.fetched = None, 0.0, 0.0
        if run.slot_at >= 0:
            done = min(self._seconds(run), max(0.0, now - run.slot_at)) * self._threads
            self._figures.cpu += done
            self._figures.cpu_lost += done

    # ---- Before the archive is fetched

    def _reserve(self, run: Run, host: Host) -> Reason | None:
        """Reserve what a large run needs; return what the machine lacks for it, None if it has enough."""
        need = self.admission.need(run.bases)
        lack = self.admission.shortage(need, host.reserved)
        if lack is None:
            self._needs[run.id] = need
            host.reserved += need
        return lack

    def _fail_at(self, at: float, run: Run, reason: Reason | None) -> None:
        run.fate = reason
        self._agenda.add(at, self._at_end, run, run.epoch)

    # ---- Fetching and computing

    def _request(self, run: Run, at: float, size: float) -> None:
        piece = min(size, PIECE)
        run.to_fetch = size - piece
        self._figures.fetched += piece
        self._figures.requests += 1 + int(piece / LARGEST_CHUNK)
        assert run.worker is not None
        over_link = run.worker.host.link.serve(at, piece)
        from_archive = self._servers.archive.serve(at, piece)
        arrival = over_link if over_link > from_archive else from_archive
        if run.to_fetch or run.slot_at < 0 or self._servers.archive_is_down(arrival):
            self._agenda.add(arrival, self._arrived, run, run.epoch)
        else:  # nothing can come between but the loss of the machine
            run.fetched, run.ready = 1.0, True
            self._compute(run, arrival)

    def _arrived(self, run: Run, epoch: int, now: float) -> None:
        """Continue when a piece has arrived."""
        if epoch != run.epoch:
            return
        if self._servers.archive_is_down(now):
            run.fetched = max(0.0, 1 - run.to_fetch / (run.bases * self._scenario.bytes_per_base))
            run.fate = Reason.NETWORK
            self._end(run, now)
        elif run.to_fetch:
            self._request(run, now, run.to_fetch)
        else:
            run.fetched, run.ready = 1.0, True
            if run.slot_at >= 0:
                self._compute(run, now)

    def _compute(self, run: Run, complete_at: float) -> None:
        """Have a run end that has a slot, and whose archive is complete at a time."""
        computed = max(complete_at, run.slot_at + self._seconds(run))
        self._agenda.add(computed + self._scenario.publishing, self._at_end, run, run.epoch)

    def _seconds(self, run: Run) -> float:
        """Return the seconds for which a run takes a slot, at least."""
        return self._scenario.per_run + run.bases * self._per_base

    # ---- The end

    def _at_end(self, run: Run, epoch: int, now: float) -> None:
        if epoch != run.epoch:
            return
        if run.ready and run.fate is None and self._servers.store_is_down(now):
            run.fate = Reason.STORAGE_DOWN
        self._end(run, now)

    def _end(self, run: Run, now: float) -> None:
        """End an attempt, and pass its slot on."""
        worker = run.worker
        assert worker is not None
        reason, run.fate, run.to_fetch = run.fate, None, 0.0
        self._detach(run)
        worker.attempts -= 1
        worker.host.busy_until = now
        if run.slot_at >= 0:
            if run.ready:
                seconds = self._seconds(run)
                self._figures.cpu += seconds * self._threads
                self.cores[worker.host.index].busy += seconds / self._scenario.machine.jobs
                run.sealed = run.sealed or reason is Reason.STORAGE_DOWN
            self._pass_slot_on(worker, now)
        self._ended(run, reason, now)

    def _detach(self, run: Run) -> None:
        """Take a run off its machine; events of this attempt that are still to happen are void."""
        assert run.worker is not None
        run.epoch += 1
        host = run.worker.host
        del host.running[run.id]
        if self._needs and (need := self._needs.pop(run.id, None)):
            kept = host.reserved
            host.reserved = Need(kept.work - need.work, kept.store - need.store, kept.memory - need.memory)

    def _pass_slot_on(self, worker: Worker, now: float) -> None:
        """Give a free slot to the run that has waited longest for one."""
        while worker.waiting:
            run, epoch = worker.waiting.popleft()
            if epoch == run.epoch:
                run.slot_at = now
                if run.ready:
                    self._compute(run, now)
                return
        worker.free += 1
