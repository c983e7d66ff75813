"""Pages of jobs: in order, without gaps, by an index for every filter."""

from dataclasses import replace

import pytest

from tests.support.job_states import fail, move, queued
from wort_cli.ledger.job_pages import FURTHEST
from wort_cli.ledger.jobs import JobFilter, filled
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import Job, JobState

FILTERS = [
    JobFilter(),
    JobFilter(JobState.FAILED),
    JobFilter(reason=Reason.NETWORK),
    JobFilter(JobState.WAITING, Reason.NETWORK),
    JobFilter(group="g"),
    JobFilter(JobState.FAILED, group="g"),
    JobFilter(JobState.QUEUED, group="g"),
    JobFilter(reason=Reason.NETWORK, group="g"),
]


@pytest.fixture
def filled_ledger(ledger: Ledger) -> Ledger:
    """Forty jobs: in two groups, and of several states and reasons."""
    for number in range(40):
        job_id = queued(ledger, f"SRR{100000 + number}", group="g" if number % 3 else "h")
        if number % 5 == 1:
            fail(ledger, job_id, Reason.NETWORK)
        elif number % 5 == 2:
            move(ledger, job_id, "failed")
    return ledger


def pages(ledger: Ledger, job_filter: JobFilter, limit: int) -> list[list[Job]]:
    found, before = [], 10**9
    while page := ledger.job_pages.page(job_filter, limit, before):
        found.append(page)
        before = page[-1].id
    return found


@pytest.mark.parametrize("job_filter", FILTERS, ids=lambda one: f"{one.state}-{one.reason}-{one.group}")
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_pages_together_are_the_selected_jobs(filled_ledger: Ledger, job_filter: JobFilter, limit: int) -> None:
    found = pages(filled_ledger, job_filter, limit)
    expected = [job.id for job in filled_ledger.jobs.matching(job_filter)]
    assert expected, "the filter selects something"
    assert [job.id for page in found for job in page] == expected
    assert all(len(page) == limit for page in found[:-1])


@pytest.mark.parametrize("job_filter", FILTERS, ids=lambda one: f"{one.state}-{one.reason}-{one.group}")
def test_newer_jobs_are_those_of_the_page_before(filled_ledger: Ledger, job_filter: JobFilter) -> None:
    ids = sorted(job.id for job in filled_ledger.jobs.matching(job_filter))
    for least in (1, ids[1], ids[-1], ids[-1] + 1):
        assert filled_ledger.job_pages.newer(job_filter, 3, least) == [each for each in ids if each >= least][:3]


@pytest.mark.parametrize("job_filter", FILTERS, ids=lambda one: f"{one.state}-{one.reason}-{one.group}")
def test_counts_are_those_of_the_pages(filled_ledger: Ledger, job_filter: JobFilter) -> None:
    assert filled_ledger.job_pages.count(job_filter) == len(filled_ledger.jobs.matching(job_filter))


@pytest.mark.parametrize("job_filter", FILTERS, ids=lambda one: f"{one.state}-{one.reason}-{one.group}")
def test_a_page_reads_no_whole_table_and_sorts_nothing(filled_ledger: Ledger, job_filter: JobFilter) -> None:
    for one in filled_ledger.job_pages.parts(job_filter):
        condition, values = one.where()
        for query, comparison in (("jobs_where", "<"), ("next_ids_where", ">=")):
            sql = filled(query, one, f"{one.key} {comparison} :id AND {condition}")
            plan = filled_ledger.storage.select(f"EXPLAIN QUERY PLAN {sql}", {**values, "id": 20, "limit": 5})
            details = [row["detail"] for row in plan]
            assert not [detail for detail in details if detail.startswith(("SCAN jobs", "SCAN members", "USE TEMP"))]


def test_a_rare_state_of_a_large_group_is_read_by_the_state(filled_ledger: Ledger) -> None:
    (rare,) = filled_ledger.job_pages.parts(JobFilter(JobState.FAILED, group="g"))
    assert rare.tables == "jobs"
    (common,) = filled_ledger.job_pages.parts(JobFilter(JobState.QUEUED, group="h"))
    assert common.tables != "jobs"


def test_place_in_the_queue_follows_priority_and_age(ledger: Ledger) -> None:
    first, second = queued(ledger, "SRR100001"), queued(ledger, "SRR100002")
    urgent = queued(ledger, "SRR100003", priority=9)
    ahead = [ledger.job_pages.ahead_of(ledger.jobs.get(job_id)) for job_id in (urgent, first, second)]
    assert ahead == [0, 1, 2]
    later = replace(ledger.jobs.get(second), id=10**9, priority=-5)
    assert ledger.job_pages.ahead_of(later) == 3 <= FURTHEST


def test_only_the_last_events_are_returned_in_order(ledger: Ledger) -> None:
    job_id = queued(ledger)
    move(ledger, job_id, "failed")
    assert [event.after for event in ledger.job_pages.newest_events(job_id, 2)] == ["running", "failed"]
