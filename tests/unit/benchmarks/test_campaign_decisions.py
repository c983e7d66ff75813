"""The simulator decides as a real ledger does."""

import itertools
import random
import time

import numpy as np
import pytest

from benchmarks.campaign.coordinator import Coordinator
from benchmarks.campaign.decisions import POLICY, Admission, after_failure, lists_of
from benchmarks.campaign.figures import Figures
from benchmarks.campaign.machines import Host, Worker
from benchmarks.campaign.runs import Run
from benchmarks.campaign.scenario import read_scenario
from tests.support.builders import request
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import CRASHES, OUTAGES, SHORTAGES
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.reservations import Need


class Middle(random.Random):
    """Has no jitter."""

    def random(self) -> float:
        return 0.5


MIXED = [
    [Reason.TOOL_CRASH] * 4,
    [Reason.NETWORK] * 12,
    [Reason.TIMEOUT] * 11,
    [Reason.INTERRUPTED, Reason.TOOL_CRASH, Reason.INTERRUPTED],
    [Reason.DISK_LOW, Reason.TOOL_CRASH, Reason.MEMORY, Reason.TOOL_CRASH, Reason.NETWORK, Reason.TOOL_CRASH],
    [Reason.NETWORK, Reason.CORRUPT],
    [Reason.RATE_LIMITED, Reason.NO_READS],
    [Reason.NOT_PUBLISHED, Reason.NOT_FOUND],
]


@pytest.mark.parametrize("reasons", MIXED, ids="+".join)
def test_failures_are_retried_as_the_ledger_retries_them(reasons: list[Reason], ledger: Ledger) -> None:
    (answer,) = ledger.jobs.enqueue([request()])
    assert answer.job_id is not None
    run = Run(answer.job_id, 1e9, None)
    for reason in reasons:
        now = time.time()
        job = ledger.attempts.claim(answer.job_id, "x", 60.0)
        assert job is not None
        state = ledger.attempts.finish(JobResult(job.id, job.attempt, failure=Failure(reason, "")), POLICY, 0.5)
        decision = after_failure(run, reason, now, Middle())
        assert decision.state is state
        if state is JobState.WAITING:
            row = ledger.storage.select("SELECT wait_until FROM jobs", {})[0]
            assert row["wait_until"] - now == pytest.approx(decision.delay, abs=30)
        if state not in (JobState.WAITING, JobState.QUEUED):
            return


def test_all_kinds_of_failures_occur_in_that_comparison() -> None:
    compared = set(itertools.chain.from_iterable(MIXED))
    assert all(compared & kind for kind in (CRASHES, OUTAGES, SHORTAGES))


def test_jobs_start_in_the_order_of_the_ledger(ledger: Ledger) -> None:
    rng = random.Random(3)
    scenario = read_scenario(runs=60, machines=1, priorities=((0, 0.5), (7, 0.2), (-3, 0.3)))
    coordinator = Coordinator(scenario, np.random.default_rng(1), Figures())
    worker = Worker(Host(0, 1.0), 1, 0)
    # The simulator numbers the jobs of the highest priority first.
    wanted = [7] * 12 + [0] * 30 + [-3] * 18
    ledger.jobs.enqueue([request(f"SRR{100000 + n}", priority=priority) for n, priority in enumerate(wanted)])
    order: list[int] = []
    now, waiting = 0.0, 0
    while len(order) < 90:
        if waiting and rng.random() < 0.3:
            now += 86_400.0  # all that wait are due
            while at := coordinator.next_wake(now, idle=True):
                if at > now:
                    break
                coordinator.wake(now)
                now += 2.0
            ledger.jobs.retry(
                [row["id"] for row in ledger.storage.select("SELECT id FROM jobs WHERE state = 'waiting'", {})]
            )
            waiting = 0
        run = coordinator.next(worker)
        (first,) = ledger.jobs.next_jobs(1) or (None,)
        assert (run.id if run else None) == first
        if run is None or first is None:
            if not waiting:
                break
            continue
        order.append(first)
        job = ledger.attempts.claim(first, "x", 60.0)
        assert job is not None
        if rng.random() < 0.4:
            state, _ = coordinator.failed(run, Reason.DISK_LOW, now)
            failure = Failure(Reason.DISK_LOW, "")
            assert ledger.attempts.finish(JobResult(job.id, job.attempt, failure=failure), POLICY) is state
            waiting += 1
        else:
            coordinator.done(run)
            ledger.attempts.finish(JobResult(job.id, job.attempt, failure=Failure(Reason.NOT_FOUND, "")), POLICY)
    assert len(order) > 60


def test_lists_hold_each_run_once_and_the_longest_is_within_bounds() -> None:
    rng = np.random.default_rng(1)
    bases = read_scenario().sizes.draw(rng, 5000).tolist()
    lists = lists_of(bases, 1e11)
    assert sorted(itertools.chain.from_iterable(lists)) == list(range(5000))
    longest = max(sum(bases[n] for n in one) for one in lists)
    assert longest <= max(*bases, 4 / 3 * (sum(bases) / len(lists) + max(bases)))


def test_small_runs_fit_whatever_else_runs() -> None:
    scenario = read_scenario()
    admission = Admission(scenario)
    need = admission.need(admission.small)
    at_once = scenario.machine.jobs + scenario.fetch_ahead
    others = Need(need.work * at_once, need.store * at_once, need.memory * at_once)
    assert admission.shortage(need, others) is None
    assert admission.small > 1e9


def test_largest_run_fits_no_machine() -> None:
    admission = Admission(read_scenario())
    assert admission.shortage(admission.need(1e13), Need()) is Reason.DISK_LOW
