"""Forms that change many jobs."""

from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.job import JobState
from wort_cli.settings import load_settings
from wort_cli.web.pages import actions
from wort_cli.web.pages.change_page import CHANGES


def test_form_ends_in_time_and_says_how_many_jobs_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, settings = Ledger(tmp_path / "ledger.db"), load_settings({"WORT_HOME": str(tmp_path)})
    ledger.jobs.enqueue([request(Accession(f"SRR00000{n}")) for n in range(5)])
    monkeypatch.setattr(actions, "BATCH", 2)
    monkeypatch.setattr(actions, "SECONDS", -1.0)
    assert actions.changed(CHANGES["cancel"], ledger, settings, [1, 2, 3, 4, 5]) == (2, 3)
    monkeypatch.setattr(actions, "SECONDS", 60.0)
    assert actions.changed(CHANGES["cancel"], ledger, settings, [1, 2, 3, 4, 5]) == (3, 0)
    assert actions.changed(CHANGES["retry"], ledger, settings, [1, 2, 3, 4, 5]) == (5, 0)
    assert ledger.jobs.states_among([1, 2, 3, 4, 5]) == {JobState.QUEUED: 5}
    ledger.close()
