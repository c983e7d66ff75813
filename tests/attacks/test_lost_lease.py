"""A process that ran a job with --now, was stopped for longer than its lease, and wakes up when others run the job."""

from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli import foreground
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.pipeline.workspace import Workspace
from wort_cli.settings import Settings, load_settings
from wort_cli.system.cancellation import Cancelled
from wort_cli.upkeep.ended_workspace import remove_ended_workspace


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"WORT_HOME": str(tmp_path / "home")})


@pytest.mark.parametrize("awakened", [Cancelled, KeyboardInterrupt])
def test_awakened_process_leaves_the_job_to_its_new_owner(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, awakened: type[BaseException]
) -> None:
    settings.make_directories()
    ledger = Ledger(settings.ledger_file)
    job_id = ledger.jobs.enqueue([request()])[0].job_id or 0
    first = ledger.attempts.claim(job_id, "process 1 on here", 60)
    assert first is not None

    def overtaken(*_: object) -> None:
        """Run the job until others have it, and wake up."""
        ledger.attempts.requeue(job_id, 1, "the lease expired")
        assert ledger.attempts.claim(job_id, "daemon", 60) is not None
        later = Workspace(settings.workspace(job_id), 2)
        later.create()
        later.slices.mkdir()
        raise awakened

    monkeypatch.setattr(foreground, "run_job", overtaken)
    try:
        foreground.run_attempt(first, ledger, settings, lambda _: None)
    except KeyboardInterrupt:
        assert awakened is KeyboardInterrupt
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    assert ledger.jobs.get(job_id).attempt == 2
    assert {path.name for path in settings.workspace(job_id).iterdir()} == {"attempt-2", "slices"}
    remove_ended_workspace(job_id, ledger, settings)
    assert settings.workspace(job_id).exists()
    ledger.jobs.cancel([job_id])
    remove_ended_workspace(job_id, ledger, settings)
    assert list(settings.work_dir.iterdir()) == []
    ledger.close()
