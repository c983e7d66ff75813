"""Wort's own decisions in a campaign: retries, lost workers, admission, the order of jobs, and lists for tasks.

Each calls the code that daemons and workers call; nothing is decided here.  What the ledger decides by SQL, the order
of queued jobs and the failures that count, is repeated here, and tests compare it with a real ledger.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.campaign.runs import Run
from benchmarks.campaign.scenario import Machine, Scenario
from wort_cli.ledger.retry import RetryDecision, RetryPolicy, decide, reasons_counted_with
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.lease import Liveness, LivenessLimits, Loss, detect_loss
from wort_cli.model.profile import SRA_V1
from wort_cli.model.task_lists import number_of_tasks, split
from wort_cli.pipeline.reservations import Need
from wort_cli.pipeline.resources import estimate_need, find_shortage
from wort_cli.pipeline.sketching.slices import plan_slices
from wort_cli.settings import load_settings
from wort_cli.system.machine import Disk
from wort_cli.system.process_identity import ProcessIdentity

READ_LENGTH = 300
"""Bases of a spot."""
SETTINGS = load_settings({"WORT_HOME": "home-of-nobody"})
POLICY = RetryPolicy.of(SETTINGS)
LIMITS = LivenessLimits(heartbeat=SETTINGS.worker_lease, check=math.inf, progress=math.inf)
"""A coordinator looks for silence only; each host looks after its own attempts."""
COUNTED_WITH = {reason: reasons_counted_with(reason) for reason in Reason}
SHARE_OF_SMALL = 0.1
"""The share of a machine that small runs may take; what they need is not looked at."""
ELSEWHERE = ProcessIdentity(1, 1, "", 0)
"""A process on another host, of which nothing is known but its heartbeats."""


def after_failure(run: Run, reason: Reason, now: float, jitter: random.Random) -> RetryDecision:
    """Return what follows a failure, and remember the failure as the ledger does."""
    known = run.failures or {}
    counted = [known[other] for other in COUNTED_WITH[reason] if other in known]
    earlier = sum(number for number, _ in counted)
    first_at = min((first for _, first in counted), default=now)
    decision = decide(Failure(reason, ""), earlier, POLICY, jitter.random(), now - first_at)
    number, first = known.get(reason, (0, now))
    run.failures = known | {reason: (number + 1, first)}
    return decision


def order(priority: int, job_id: int) -> tuple[int, int]:
    """Return the key by which queued jobs start (`next_jobs` in ledger/sql/jobs.sql)."""
    return -priority, job_id


def loss_of_silent(silent_since: float, now: float) -> Loss | None:
    """Return how an attempt was lost whose worker, on another host, is silent since a time; None if it was not."""
    last = Liveness(silent_since, silent_since, silent_since, process=ELSEWHERE)
    return detect_loss(last, now, LIMITS, process_runs=True)


def lists_of(bases: Sequence[float], bases_per_task: float) -> list[list[int]]:
    """Return the positions of the runs of each task, as `wort plan --bases-per-task` makes its lists."""
    lengths = [int(length) for length in bases]
    return split(lengths, number_of_tasks(lengths, int(bases_per_task)))


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
        found = estimate_need(int(bases), slices, self._machine.threads, [SRA_V1], SETTINGS.distinct_share)
        return replace(found, work=found.work + int(bases * self._bytes_per_base))

    def shortage(self, need: Need, reserved: Need) -> Reason | None:
        """Return what a machine lacks for a run, if others have reserved so much; None if it has enough."""
        found = find_shortage(
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
