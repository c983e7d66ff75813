"""A home with signatures for the tests of `wort export`."""

from pathlib import Path

import pytest

from tests.support.copied_home import copied_home
from tests.support.exports import NUMBER, PROFILE, QUEUED, RUNS, UNAVAILABLE
from tests.support.signatures import make_recorded_signatures
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobRequest, Source
from wort_cli.model.job_result import JobResult


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with some signatures, a run that is unavailable, and one that is queued."""
    home = tmp_path_factory.mktemp("export")
    make_recorded_signatures(home, NUMBER)
    ledger = Ledger(home / "ledger.db")
    for run in (*RUNS[:2], UNAVAILABLE, QUEUED):
        ledger.jobs.enqueue([JobRequest(Source(Accession(run)), PROFILE, group="pond")])
    (job,) = ledger.jobs.named(Accession(UNAVAILABLE))
    claimed = ledger.attempts.claim(job.id, "owner", 3600)
    assert claimed is not None
    failure = Failure(Reason.WITHDRAWN, "=1+1\x1b[31m")
    ledger.attempts.finish(JobResult(job.id, claimed.attempt, failure=failure), RetryPolicy())
    ledger.close()
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and its parent is the working directory."""
    return copied_home(made, tmp_path, monkeypatch)
