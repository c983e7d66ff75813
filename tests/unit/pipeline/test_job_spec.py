"""A JobSpec has the facts of the job and the settings, and is validated when it is read from JSON."""

from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli.errors import InvalidName
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.settings import load_settings


def test_spec_has_the_facts_of_the_job_and_the_settings(ledger: Ledger, tmp_path: Path) -> None:
    settings = load_settings({"WORT_HOME": str(tmp_path), "WORT_THREADS": "3", "WORT_ARCHIVES": "/a:/b"})
    archive = tmp_path / "x.sra"
    (answer,) = ledger.jobs.enqueue([request("x", archive)])
    assert answer.job_id is not None
    job = ledger.attempts.claim(answer.job_id, "me", 60)
    assert job is not None
    spec = JobSpec.of(job, settings, jobs=1)
    assert (spec.job_id, spec.attempt, spec.profile, spec.threads) == (job.id, 1, "sra-v1", 3)
    assert (spec.source.name, spec.source.archive) == ("x", archive)
    assert spec.workspace.is_relative_to(settings.work_dir)
    assert (spec.store, spec.log) == (settings.store_dir, settings.job_log(job.id))
    assert spec.archives == (Path("/a"), Path("/b"))
    assert JobSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    ("jobs", "threads", "expected"), [(1, "", 8), (3, "", 2), (16, "", 1), (1, "5", 5), (16, "5", 5)]
)
def test_threads_follow_the_number_of_jobs(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, threads: str, expected: int
) -> None:
    monkeypatch.setattr("wort_cli.settings.available_cores", lambda: 8)
    (answer,) = ledger.jobs.enqueue([request()])
    assert answer.job_id is not None
    settings = load_settings({"WORT_HOME": str(tmp_path), "WORT_JOBS": "4", "WORT_THREADS": threads})
    assert JobSpec.of(ledger.jobs.get(answer.job_id), settings, jobs=jobs).threads == expected


@pytest.mark.parametrize("name", ["../x", "-h", "a b", ""])
def test_invalid_name_in_json_is_rejected(ledger: Ledger, tmp_path: Path, name: str) -> None:
    (answer,) = ledger.jobs.enqueue([request()])
    assert answer.job_id is not None
    document = JobSpec.of(ledger.jobs.get(answer.job_id), load_settings({"WORT_HOME": str(tmp_path)}), jobs=1).to_json()
    document["source"]["name"] = name
    with pytest.raises(InvalidName):
        JobSpec.from_json(document)


@pytest.mark.parametrize("missing", ["published", "failure", "job_id"])
def test_result_with_a_missing_field_is_rejected(missing: str) -> None:
    document = JobResult(1, 1).to_json()
    del document[missing]
    with pytest.raises(KeyError):
        JobResult.from_json(document)
