"""Whether a run exists, as ENA and NCBI say: only a list with the run is a yes, only a plain no of both is a no."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.run_lists import RunLists, run
from wort_cli.model.accession import Accession
from wort_cli.model.submission import Lookup
from wort_cli.pipeline.projects.answers import MEANINGS, NCBI, Meaning, Outcome, Recorded
from wort_cli.pipeline.projects.run_lookup import look_up
from wort_cli.settings import Settings, load_settings

RUN = Accession("SRR000001")
HEADERLESS = "run_accession\nSRR000001\n"


@pytest.fixture
def lists() -> Iterator[RunLists]:
    with RunLists().serving() as server:
        yield server


@pytest.fixture
def settings(lists: RunLists, tmp_path: Path) -> Settings:
    return load_settings({**lists.env, "WORT_HOME": str(tmp_path)})


def known(answer: Lookup | str) -> bool | None:
    return answer.known if isinstance(answer, Lookup) else None


@pytest.mark.parametrize(
    "meaning",
    [row for row in MEANINGS if row.outcome is not Outcome.ROWS],
    ids=lambda row: f"{row.service or 'both'}-{row.status}-{row.outcome}-{len(row.pattern)}",
)
def test_answer_that_is_no_list_leaves_the_question_open(meaning: Meaning, lists: RunLists, settings: Settings) -> None:
    place = "/runinfo" if meaning.service == NCBI else "/filereport"
    lists.answers = lambda path: meaning.example if place in path else None
    assert known(look_up(RUN, settings)) is (False if meaning.outcome is Outcome.NO_RUNS else None)
    assert len(lists.requests) <= 2  # each service once


@pytest.mark.parametrize("service", ["/filereport", "/runinfo"])
@pytest.mark.parametrize(
    "recorded",
    [
        Recorded("[{}]"),
        Recorded("Run,spots\nSRR000001,7\n"),
        Recorded(HEADERLESS),
        Recorded("", cut=True),
        Recorded(HEADERLESS, unbounded=True),
    ],
    ids=["json", "few-columns", "other-columns", "cut", "no-end"],
)
def test_answer_that_cannot_be_read_leaves_the_question_open(
    service: str, recorded: Recorded, lists: RunLists, settings: Settings
) -> None:
    lists.answers = lambda path: recorded if service in path else None
    assert known(look_up(RUN, settings)) is None


def test_list_without_the_run_is_a_no(lists: RunLists, settings: Settings) -> None:
    lists.ena[RUN] = [run(2)]
    assert known(look_up(RUN, settings)) is False


def test_paused_service_is_not_asked(lists: RunLists, settings: Settings, tmp_path: Path) -> None:
    settings = load_settings({**lists.env, "WORT_HOME": str(tmp_path), "WORT_REQUEST_PAUSE": "100"})
    lists.answers = lambda path: Recorded("", 429)
    for _ in range(2):
        assert "fewer requests" in str(look_up(RUN, settings))
    assert len(lists.requests) == 1
