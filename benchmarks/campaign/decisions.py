"""Wort's own decisions in a campaign: retries, lost workers, admission, the order of jobs, and lists for tasks.

Nothing is decided here.  Each function calls the code of `wort_cli` that daemons, workers and commands call, through
its module, so that a test that replaces it there changes the simulation.  The order of jobs is read from the ledger's
SQL.  Only the count of earlier failures, which the ledger makes by SQL, is repeated here; a test compares it with a
real ledger.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.campaign.runs import Run
from benchmarks.campaign.scenario import Machine, Scenario
from wort_cli.ledger import retry
from wort_cli.ledger.database import queries
from wort_cli.model import lease, task_lists
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.lease import Silence
from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline import resources
from wort_cli.pipeline.reservations import Need
from wort_cli.pipeline.sketching.slices import plan_slices
from wort_cli.settings import load_settings
from wort_cli.system.machine import Disk

READ_LENGTH = 300
"""Bases of a spot."""
SETTINGS = load_settings({"WORT_HOME": "home-of-nobody"})
POLICY = retry.RetryPolicy.of(SETTINGS)
COUNTED_WITH = {reason: retry.reasons_counted_with(reason) for reason in Reason}
SHARE_OF_SMALL = 0.1
"""The share of a machine that small runs may take; what they need is not looked at."""
ORDER = re.compile(r"ORDER BY (.+?) LIMIT", re.DOTALL)
TERM = re.compile(r"(priority|id)( DESC)?")


def after_failure(run: Run, reason: Reason, now: float, jitter: random.Random) -> retry.RetryDecision:
    """Return what follows a failure, and remember the failure as the ledger does."""
    known = run.failures or {}
    counted = [known[other] for other in COUNTED_WITH[reason] if other in known]
    earlier = sum(number for number, _ in counted)
    first_at = min((first for _, first in counted), default=now)
    decision = retry.decide(Failure(reason, ""), earlier, POLICY, jitter.random(), now - first_at)
    number, first = known.get(reason, (0, now))
    run.failures = known | {reason: (number + 1, first)}
    return decision


def after_silence(silent_for: float, earlier: int) -> Silence:
    """Return what follows when a worker has been silent for so long, and others before it `earlier` times."""
    return lease.decide_silence(silent_for, SETTINGS.worker_lease, earlier)


def order_of_ledger() -> Callable[[int, int], tuple[int, ...]]:
    """Return the key by which queued jobs start, made from the ledger's query (`next_jobs` in ledger/sql/jobs.sql).

    Raises ValueError if the query sorts by anything but the priority and the id of a job.
    """
    clause = ORDER.search(queries()["next_jobs"])
    terms = [TERM.fullmatch(term.strip()) for term in clause[1].split(",")] if clause else [None]
    if None in terms:
        raise ValueError(f"the order of jobs is not understood: {clause[1] if clause else 'there is none'}")
    if [term[0] for term in terms if term] == ["priority DESC", "id"]:
        return lambda priority, job_id: (-priority, job_id)
    signs = [(term[1] == "priority", -1 if term[2] else 1) for term in terms if term]
    return lambda priority, job_id: tuple(sign * (priority if first else job_id) for first, sign in signs)


def lists_of(bases: Sequence[float], bases_per_task: float) -> list[list[int]]:
    """Return the positions of the runs of each task, as `wort plan --bases-per-task` makes its lists."""
    lengths = [int(length) for length in bases]
    return task_lists.split(lengths, task_lists.number_of_tasks(lengths, int(bases_per_task)))


class Admission:
    """Decides whether a machine has enough disk and memory for a run, beside those that it runs."""

    def __init__(self, scenario: Scenario) -> None:
        self._machine, self._bytes_per_base = scenario.machine, scenario.bytes_per_base
        self._disk = disk_of(scenario.machine)
        at_once = scenario.machine.jobs + scenario.fetch_ahead
        self.small = 0.0
        """Runs with fewer bases always fit: so many of them take no more than SHARE_OF_SMALL of a machine."""
        low, high = 0.0, scenario.sizes.largest
        for _ in range(60):
            middle = (low + high) / 2
            need = self.need(middle)
            fits = (
                at_once * need.memory < SHARE_OF_SMALL * self._machine.memory
                and at_once * (need.work + need.store) < SHARE_OF_SMALL * self._machine.disk
            )
            low, high = (middle, high) if fits else (low, middle)
        self.small = low
        self._taken_by_small = Need(
            work=int(SHARE_OF_SMALL * self._machine.disk), memory=int(SHARE_OF_SMALL * self._machine.memory)
        )

    def need(self, bases: float) -> Need:
        """Return what a run needs: its download, its slices and its signature."""
        slices = len(plan_slices(max(1, int(bases) // READ_LENGTH), int(bases), SETTINGS.slice_bases))
        found = resources.estimate_need(int(bases), slices, self._machine.threads, [SRA_V1], SETTINGS.distinct_share)
        return replace(found, work=found.work + int(bases * self._bytes_per_base))

    def shortage(self, need: Need, reserved: Need) -> Reason | None:
        """Return what a machine lacks for a run, if others have reserved so much; None if it has enough."""
        found = resources.find_shortage(
            need,
            self._disk,
            self._disk,
            self._machine.memory,
            SETTINGS.disk_reserve,
            SETTINGS.memory_reserve,
            reserved + self._taken_by_small,
        )
        return found.reason if found else None


def disk_of(machine: Machine) -> Disk:
    """Return the disk of a machine on which nothing runs."""
    return Disk(Path("scratch"), 1, machine.disk, machine.disk)
