"""Why `wort retry` and `wort cancel` left jobs as they are."""

import pytest

from tests.support.builders import request
from tests.support.job_states import in_state
from wort_cli import cli
from wort_cli.commands.shared.jobs.unchanged import why_not_cancelled, why_not_retried
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.settings import load_settings


@pytest.mark.parametrize(
    ("states", "queued", "sentences"),
    [
        ("", 0, ["no job matches"]),
        ("failed", 1, []),
        ("failed", 0, ["not queued again: 1 job with a newer job of the same signature"]),
        ("done done", 0, ["not queued again: 2 jobs done; `wort compute --force` computes a signature again"]),
        ("queued running", 0, ["not queued again: 2 jobs (1 queued, 1 running)"]),
        ("waiting failed", 2, []),
    ],
)
def test_jobs_that_are_not_retried_are_explained(states: str, queued: int, sentences: list[str]) -> None:
    counts = {JobState(state): states.split().count(state) for state in states.split()}
    assert list(why_not_retried(counts, queued)) == sentences


@pytest.mark.parametrize(
    ("states", "sentences"),
    [
        ("", ["no job matches"]),
        ("queued running waiting", []),
        ("done", ["not cancelled: 1 job done"]),
        ("done failed failed", ["not cancelled: 3 jobs (1 done, 2 failed)"]),
    ],
)
def test_jobs_that_are_not_cancelled_are_explained(states: str, sentences: list[str]) -> None:
    counts = {JobState(state): states.split().count(state) for state in states.split()}
    assert list(why_not_cancelled(counts)) == sentences


def test_commands_say_why_nothing_was_done(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    ledger = Ledger(load_settings().ledger_file)
    in_state(ledger, "done", "SRR100001")
    ledger.jobs.enqueue([request("SRR100002", group="g")])
    for words, said in (
        (["retry", "SRR100001"], "not queued again: 1 job done; `wort compute --force` computes a signature again\n"),
        (["cancel", "1"], "not cancelled: 1 job done\n"),
        (["retry", "--failed"], "no job matches\n"),
        (["retry", "-g", "g"], "not queued again: 1 job queued\n"),
    ):
        assert cli.run(words) == 0
        assert capsys.readouterr().err == said
    ledger.close()
