"""A running job says its stage, what is done, the rate and the remaining time."""

import pytest

from wort_cli.commands.shared.stage_facts import StageFacts
from wort_cli.model.job import Progress


def sketching(at: float, spots: int) -> Progress:
    return Progress("sketching", spots, 1000, spots * 100_000, at)


def fetching(at: float, megabytes: float) -> Progress:
    return Progress("fetching", int(megabytes * 1e6), 120_000_000, 0, at)


def test_rate_and_remaining_time_of_sketching_follow_from_two_reports() -> None:
    facts = StageFacts()
    assert facts.describe(Progress("locating", 0, 0, 0, 1.0)) == "locating"
    assert facts.describe(sketching(5.0, 0)) == "preparing"
    assert facts.describe(sketching(10.0, 100)) == "100 of 1,000 spots"
    assert facts.describe(sketching(20.0, 200)) == "200 of 1,000 spots, 1.0 Mbp/s, 1m 20s left"
    assert facts.describe(sketching(21.0, 50)) == "50 of 1,000 spots"  # the next attempt started at an earlier slice


def test_rate_and_remaining_time_of_fetching_are_in_bytes() -> None:
    facts = StageFacts()
    assert facts.describe(fetching(10.0, 2.5)) == "fetching 2.5 of 120 MB"
    assert facts.describe(fetching(11.0, 22.5)) == "fetching 22 of 120 MB, 20.0 MB/s, 5s left"
    assert facts.describe(fetching(12.0, 1.0)) == "fetching 1.0 of 120 MB"  # another part of the archive


@pytest.mark.parametrize("stage", ["sealing", "publishing", "comparing"])
def test_other_stages_are_named_only(stage: str) -> None:
    assert StageFacts().describe(Progress(stage, 5, 10, 0, 1.0)) == stage
