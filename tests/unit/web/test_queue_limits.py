"""Tests of the limits of jobs that clients of the server may have in the queue."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, RecordAccession
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.settings import load_settings
from wort_cli.web import compute
from wort_cli.web.access_file import Right, new_token
from wort_cli.web.compute import enqueue_runs
from wort_cli.web.errors import Problem
from wort_cli.web.options import ServeOptions
from wort_cli.web.pages.search_page import search_page
from wort_cli.web.served_home import ServedHome
from wort_cli.web.services import Services

LAB, OTHERS = (new_token(name, (Right.COMPUTE,), 1.0, None)[1] for name in ("lab", "others"))


def runs(*numbers: int) -> list[Accession]:
    return [Accession(f"SRR{number:06}") for number in numbers]


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.setattr(compute, "MAX_QUEUED_OF_TOKEN", 3)
    settings = load_settings({"WORT_HOME": str(tmp_path / "home"), "WORT_S3_PRESET": "off"})
    settings.make_directories()
    made = Services.of(ServedHome(settings, ServeOptions()))
    yield made
    made.home.ledger.close()


def test_token_may_have_only_so_many_jobs_in_the_queue(services: Services) -> None:
    enqueue_runs(services, runs(1, 2), LAB)
    with pytest.raises(Problem) as refused:
        enqueue_runs(services, runs(3, 4), LAB)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "600")
    assert "the token lab has 3 queued jobs" in refused.value.detail
    enqueue_runs(services, runs(5, 6, 7), OTHERS)
    jobs = services.home.ledger.jobs
    jobs.cancel([jobs.named(run)[0].id for run in runs(1)])
    enqueue_runs(services, runs(8, 9), LAB)


def test_full_queue_takes_no_more(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "MAX_QUEUED", 2)
    enqueue_runs(services, runs(1, 2), LAB)
    with pytest.raises(Problem, match="the queue is full"):
        enqueue_runs(services, runs(3), OTHERS)


def known(ledger: Ledger) -> None:
    """Record a run of each kind of record."""
    run = RunMetadata("SRR000001", "PRJNA1", "SRP000001", "SRX000001", "SRS000001", "SAMN00000001")
    ledger.runs.record([(run, "NCBI"), (RunMetadata("SRR000002", "PRJNA2"), "NCBI")], time.time())


@pytest.mark.parametrize("record", ["PRJNA1", "SRP000001", "SRX000001", "SRS000001", "SAMN00000001"])
def test_runs_of_each_kind_of_record_are_found(ledger: Ledger, record: str) -> None:
    known(ledger)
    assert ledger.runs.of_record(RecordAccession(record), 10) == ["SRR000001"]
    assert ledger.runs.of_record(RecordAccession(record.replace("1", "9")), 10) == []


def test_search_for_thousands_of_unknown_samples_reads_the_runs_a_few_times_only(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(ledger)
    asked: list[str] = []

    def of_record(_: object, record: str, limit: int) -> list[str]:
        asked.append(record)
        return []

    monkeypatch.setattr(type(ledger.runs), "of_record", of_record)
    search_page(ledger, "sra-v1", " ".join(f"SRX{number:06}" for number in range(5000)))
    assert len(asked) <= 3
