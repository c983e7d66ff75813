"""A running job says its stage, what is done, the rate and the remaining time."""

from dataclasses import dataclass, replace

import pytest

from wort_cli.commands.shared.showing.progress_display import LiveBars, Pace
from wort_cli.commands.shared.showing.stage_facts import StageFacts
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState, Progress


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


def test_compiling_is_named_with_what_it_is() -> None:
    assert (
        StageFacts().describe(Progress("compiling", 0, 1000, 0, 1.0)) == "compiling loops for this machine, only once"
    )


def test_rate_and_remaining_time_of_fetching_are_in_bytes() -> None:
    facts = StageFacts()
    assert facts.describe(fetching(10.0, 2.5)) == "fetching 2.5 MB of 120.0 MB"
    assert facts.describe(fetching(11.0, 22.5)) == "fetching 22.5 MB of 120.0 MB, 20.0 MB/s, 5s left"
    assert facts.describe(fetching(12.0, 1.0)) == "fetching 1.0 MB of 120.0 MB"  # another part of the archive


def test_bars_show_the_stage_and_a_share_where_it_is_known() -> None:
    @dataclass(frozen=True)
    class Fetch:
        id: int
        name: str
        progress: Progress | None
        state: JobState = JobState.RUNNING
        reason: Reason | None = None

    bars = LiveBars(2, "runs")
    runs = [Fetch(1, "SRR000001", None), Fetch(2, "SRR000002", Progress("locating", 0, 0, 0, 1.0))]
    bars.update(runs, 0)
    bars.update([runs[0], replace(runs[1], progress=fetching(2.0, 30.0))], 1)
    shown = [(task.description, task.total, task.fields["share"], task.fields["facts"]) for task in bars.tasks]
    assert shown == [
        ("all", 2, "50%", "1 of 2 runs"),
        ("SRR000001", None, "", "starting"),
        ("SRR000002", 1.0, "25%", "fetching 30.0 MB of 120.0 MB"),
    ]
    bars.update([replace(runs[0], state=JobState.WAITING)], 1)
    assert [task.fields["facts"] for task in bars.tasks] == ["1 of 2 runs, 1 waiting"]
    bars.update([], 2)
    assert [task.description for task in bars.tasks] == ["all"]


@pytest.mark.parametrize("stage", ["sealing", "publishing", "comparing"])
def test_other_stages_are_named_only(stage: str) -> None:
    assert StageFacts().describe(Progress(stage, 5, 10, 0, 1.0)) == stage


def test_bar_of_all_jobs_has_a_rate_and_the_remaining_time() -> None:
    pace = Pace()
    assert pace.describe(0.5, 10, 100.0) == ""
    assert pace.describe(0.6, 10, 101.0) == ""
    assert pace.describe(1.5, 10, 160.0) == ", 60 per hour, 8m 30s left"
    assert pace.describe(9.5, 10, 113.5) == ", 40 per minute, 1s left"
    assert pace.describe(10, 10, 200.0) == ""
