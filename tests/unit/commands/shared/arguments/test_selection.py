"""Tests of selecting jobs by number, by name, and by options."""

from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli.commands.shared.arguments.selection import (
    find_job_ids,
    open_home,
    parse_reason,
    parse_state,
    select_job_ids,
)
from wort_cli.errors import InvalidName, NoSuchJob, UsageError
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState


@pytest.fixture
def job_ids(ledger: Ledger) -> list[int]:
    """Enqueue two runs, the first one in group `soil`; return their jobs."""
    answers = ledger.jobs.enqueue([request("SRR100001", group="soil"), request("SRR100002")])
    return [answer.job_id or 0 for answer in answers]


def test_open_home_makes_the_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORT_HOME", str(tmp_path / "home"))
    settings, ledger = open_home()
    assert settings.store_dir.is_dir()
    assert ledger.jobs.ids(JobFilter()) == []
    ledger.close()


def test_jobs_are_found_by_number_and_by_name_without_duplicates(ledger: Ledger, job_ids: list[int]) -> None:
    first, second = job_ids
    assert find_job_ids(ledger, ["SRR100002", str(first), str(second)]) == [second, first]


@pytest.mark.parametrize(
    ("word", "error"), [("777", NoSuchJob), ("SRR999999", NoSuchJob), ("9" * 30, NoSuchJob), ("../x", InvalidName)]
)
def test_unknown_job_is_refused(ledger: Ledger, job_ids: list[int], word: str, error: type[UsageError]) -> None:
    with pytest.raises(error):
        find_job_ids(ledger, [str(job_ids[0]), word])


def test_options_select_jobs(ledger: Ledger, job_ids: list[int]) -> None:
    assert select_job_ids(ledger, None, JobFilter(group="soil"), everything=False) == job_ids[:1]
    assert sorted(select_job_ids(ledger, None, JobFilter(), everything=True)) == job_ids


@pytest.mark.parametrize(
    ("words", "job_filter", "everything"),
    [(None, JobFilter(), False), (["1"], JobFilter(group="soil"), False), (["1"], JobFilter(), True)],
)
def test_neither_and_both_of_names_and_options_are_refused(
    ledger: Ledger, job_ids: list[int], words: list[str] | None, job_filter: JobFilter, everything: bool
) -> None:
    with pytest.raises(UsageError):
        select_job_ids(ledger, words, job_filter, everything=everything)


def test_states_and_reasons_are_parsed() -> None:
    assert (parse_state(""), parse_state("failed")) == (None, JobState.FAILED)
    assert (parse_reason(""), parse_reason("network")) == (None, Reason.NETWORK)


def test_unknown_states_and_reasons_are_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(UsageError) as state:
        parse_state("lost")
    assert "queued, running" in state.value.hint
    with pytest.raises(UsageError) as reason:
        parse_reason("lost")
    assert "not-found, controlled" in reason.value.hint
