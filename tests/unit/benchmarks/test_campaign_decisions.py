"""The simulator decides as a real ledger does, and as the code of wort decides at the moment."""

import itertools
import random
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.campaign import decisions
from benchmarks.campaign.coordinator import Coordinator
from benchmarks.campaign.decisions import POLICY, SETTINGS, Admission, after_failure, lists_of, order_of_ledger
from benchmarks.campaign.figures import Figures
from benchmarks.campaign.machines import Host, Worker
from benchmarks.campaign.runs import Run
from benchmarks.campaign.scenario import TASKS, WORKERS, read_scenario
from benchmarks.campaign.simulation import Simulation
from tests.support.builders import request
from wort_cli.ledger import retry
from wort_cli.ledger.database import queries
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import CRASHES, OUTAGES, SHORTAGES
from wort_cli.model import lease, task_lists
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline import resources
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


# ---- A change of a decision of wort changes the simulation


def campaign(changes: dict[str, Any], engine: str = WORKERS) -> Figures:
    """Simulate a small campaign without outages, in which attempts only fail by the reasons that are given."""
    found = read_scenario(runs=300, machines=2, engine=engine)
    unfailing: dict[str, Any] = {"outages": (), "lasting": {}, "passing": {}}
    return Simulation(replace(found, **unfailing | changes)).run()


def often_lost() -> dict[str, Any]:
    """Return what makes machines be lost while they compute runs of 100 seconds."""
    found = read_scenario()
    machine = replace(found.machine, preempted_per_hour=4.0)
    return {"per_base": 1e-7, "sizes": replace(found.sizes, mu=20.7, sigma=0.01), "machine": machine}


def test_simulation_follows_a_changed_retry_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    passing = {"passing": {Reason.NETWORK: 0.3}}
    usual = campaign(passing)
    monkeypatch.setattr(retry, "decide", lambda *_, **__: retry.RetryDecision(JobState.FAILED))
    changed = campaign(passing)
    assert usual.outcomes["failed", Reason.NETWORK] == 0
    assert usual.attempts > 300
    assert changed.outcomes["failed", Reason.NETWORK] > 50
    assert changed.attempts == 300


def test_simulation_follows_a_changed_retry_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    passing = {"passing": {Reason.TOOL_CRASH: 0.5}}
    usual = campaign(passing)
    monkeypatch.setattr(decisions, "POLICY", replace(POLICY, crash_tries=20))
    changed = campaign(passing)
    assert usual.outcomes["failed", Reason.TOOL_CRASH] > 10
    assert changed.outcomes["failed", Reason.TOOL_CRASH] == 0


def test_simulation_follows_a_changed_decision_about_silent_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = campaign(often_lost())
    monkeypatch.setattr(lease, "decide_silence", lambda *_: lease.Silence.FAIL)
    changed = campaign(often_lost())
    assert usual.lost > 0
    assert usual.failures[Reason.INTERRUPTED] == 0
    assert changed.failures[Reason.INTERRUPTED] > 0


def test_simulation_looks_again_at_silent_workers_that_are_not_lost_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    decide, looks = lease.decide_silence, list[float]()

    def patient(silent_for: float, limit: float, earlier: int) -> lease.Silence:
        looks.append(silent_for)
        return decide(silent_for, limit + 10.0, earlier)

    monkeypatch.setattr(lease, "decide_silence", patient)
    figures = campaign(often_lost())
    assert figures.outcomes["done", ""] == 300
    assert max(looks) > SETTINGS.worker_lease + 10.0


def test_simulation_follows_a_changed_order_of_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = read_scenario(runs=20, machines=1, priorities=((0, 0.5), (7, 0.5)))
    worker = Worker(Host(0, 1.0), 1, 0)

    def first_ids() -> list[int]:
        coordinator = Coordinator(scenario, np.random.default_rng(1), Figures())
        return [run.id for _ in range(4) if (run := coordinator.next(worker))]

    assert first_ids() == [1, 2, 3, 4]  # those of priority 7
    changed = {**queries(), "next_jobs": queries()["next_jobs"].replace("priority DESC", "priority")}
    monkeypatch.setattr(decisions, "queries", lambda: changed)
    assert first_ids() == [11, 12, 13, 14]


def test_order_of_jobs_that_is_not_understood_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {**queries(), "next_jobs": queries()["next_jobs"].replace("priority DESC", "bases DESC")}
    monkeypatch.setattr(decisions, "queries", lambda: changed)
    with pytest.raises(ValueError, match="not understood: bases DESC, id"):
        order_of_ledger()


def test_simulation_follows_a_changed_division_into_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = campaign({}, TASKS)
    monkeypatch.setattr(task_lists, "number_of_tasks", lambda *_: 7)
    assert campaign({}, TASKS).tasks == 7 != usual.tasks


def test_simulation_follows_a_changed_decision_about_disk_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = {"sizes": replace(read_scenario().sizes, mu=30.0, sigma=0.1)}
    usual = campaign(huge)
    monkeypatch.setattr(resources, "find_shortage", lambda *_: None)
    assert usual.outcomes["done", ""] == 0
    assert campaign(huge).outcomes["done", ""] == 300
