"""A coordinator's settings, a job that it has sent to workers, and the right answer."""

import base64
import hashlib
from pathlib import Path

import pytest

from tests.support.builders import clean_environment, request
from tests.support.signatures import make_signatures
from wort_cli.daemon.remote.wire import Answer
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.job import Job
from wort_cli.model.job_result import JobResult, Published
from wort_cli.settings import Settings, load_settings
from wort_cli.stores.local import LocalStore

NAME = "SRR1000000"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings({**clean_environment(), "WORT_HOME": str(tmp_path / "h"), "WORT_S3_BUCKET": "our-bucket"})
    made.make_directories()
    return made


@pytest.fixture
def job(settings: Settings) -> Job:
    ledger = Ledger(settings.ledger_file)
    ledger.jobs.enqueue([request(NAME)])
    found = ledger.attempts.claim(1, "workers", 60)
    assert found is not None
    ledger.close()
    return found


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    """The right answer of a worker."""
    make_signatures(tmp_path / "elsewhere", 2)
    store = LocalStore(tmp_path / "elsewhere")
    content = store.path(Accession(NAME)).read_bytes()
    made = store.provenance(Accession(NAME))
    published = Published("", len(content), made, sha256=hashlib.sha256(content).hexdigest())
    return Answer("node1", JobResult(1, 1, published), content=base64.b64encode(content).decode())
