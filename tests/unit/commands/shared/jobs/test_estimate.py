"""Tests of the estimates of `wort compute -n` for a list of runs."""

from typing import Any

import pytest

from tests.support.builders import published
from wort_cli.commands.shared.jobs.estimate import SAMPLE, Estimate, estimate, estimate_record, sample_of, sentences
from wort_cli.ledger.catalog import Measured
from wort_cli.ledger.ledger import Ledger

MEASURED = Measured(jobs=4, bases=4_000_000_000, seconds=80.0, archive_bytes=1_000_000_000)


def plan(fetch: int | None, archive: int | None) -> dict[str, Any]:
    return {"fetch": fetch, "archive_size": archive}


def test_totals_are_those_of_all_archives() -> None:
    found = estimate([plan(100_000_000, 500_000_000), plan(0, 250_000_000)], 2, MEASURED, jobs=2, ahead=0)
    assert found == Estimate(100_000_000, 750_000_000, 100_000_000, 3_000_000_000, 30.0)


def test_long_list_is_estimated_from_its_known_archives() -> None:
    found = estimate([plan(10, 100), plan(None, None)], 50, MEASURED, jobs=1, ahead=2)
    assert found == Estimate(500, 5000, 10, 20_000, 20_000 * 80.0 / 4e9)


def test_nothing_is_estimated_from_nothing() -> None:
    assert estimate([plan(None, None)], 1, MEASURED, 1, 0) is None
    assert "not known" in next(sentences(None, [plan(None, None)], 1, MEASURED, 1))
    assert set(estimate_record(None, 1).values()) == {1, None}


def test_sample_is_spread_over_the_list() -> None:
    assert sample_of([5, 6]) == [5, 6]
    found = sample_of(range(1000))
    assert (len(found), found[:2], found[-1]) == (SAMPLE, [0, 50], 950)


def test_sentences_have_sizes_disk_bases_and_time_or_say_that_nothing_was_measured() -> None:
    plans = [plan(30_000_000, 500_000_000), plan(20_000_000, 500_000_000), plan(10_000_000, 500_000_000)]
    found = estimate(plans, 3, MEASURED, 1, 1)
    assert estimate_record(found, 3) == {
        "runs": 3,
        "fetch": 60_000_000,
        "archive_size": 1_500_000_000,
        "disk": 50_000_000,
        "bases": 6_000_000_000,
        "seconds": 120,
    }
    first, second = sentences(found, plans, 3, MEASURED, 1)
    assert first.startswith("3 runs: 60.0 MB to fetch of archives of 1.5 GB")
    assert "50.0 MB of disk" in first
    assert second.startswith("about 6.0 Gbp and ")
    assert "50.0 Mbp/s, as 4 earlier jobs here" in second
    assert "computed in this home yet" in list(sentences(estimate(plans, 3, None, 1, 1), plans, 3, None, 1))[1]


def test_files_on_disk_are_read_and_not_fetched() -> None:
    plans = [plan(0, 15_000)]
    assert (
        next(sentences(estimate(plans, 1, None, 1, 1), plans, 1, None, 1)) == "1 run: nothing to fetch, 15.0 kB to read"
    )


def test_speed_leaves_out_the_slowest_tenth_such_as_the_first_job_which_compiled(ledger: Ledger) -> None:
    for number in range(10):
        ledger.catalog.record(published(f"SRR10000{number}", seconds=1.0 if number else 50.0))
    found = ledger.catalog.measured("sra-v1")
    assert found is not None
    assert (found.jobs, found.seconds) == (9, 9.0)


@pytest.mark.parametrize("computed", [0, 1])
def test_speed_is_that_of_the_signatures_that_were_computed_here(ledger: Ledger, computed: int) -> None:
    for number in range(computed):
        ledger.catalog.record(published(f"SRR10000{number}"))
    found = ledger.catalog.measured("sra-v1")
    made = published("SRR100000").provenance
    if computed:
        assert found == Measured(1, made.bases, made.seconds, made.source_size)
    else:
        assert found is None
