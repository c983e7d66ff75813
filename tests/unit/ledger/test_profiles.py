"""The ledger keeps what a profile was at its first use; jobs of one pass start together."""

import sqlite3
from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli.errors import ProfileChanged, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobRequest, JobState
from wort_cli.model.job_result import JobResult
from wort_cli.model.profile import SRA_V1, Profile

FINE = Profile.from_json("fine", {"k": [31], "scaled": 100})
FINER = Profile.from_json("fine", {"k": [31], "scaled": 10})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


def test_built_in_profile_is_not_recorded(ledger: Ledger) -> None:
    ledger.profiles.use(SRA_V1)
    assert ledger.profiles.all() == {}
    assert ledger.profiles.named("sra-v1", {}) is SRA_V1


def test_used_profile_is_found_without_its_definition(ledger: Ledger) -> None:
    ledger.profiles.use(FINE)
    ledger.profiles.use(FINE)
    assert list(ledger.profiles.all()) == [FINE]
    assert ledger.profiles.named("fine", {}) == ledger.profiles.named("fine", {"fine": FINE}) == FINE


def test_profile_that_changed_after_its_use_is_refused(ledger: Ledger) -> None:
    assert ledger.profiles.named("fine", {"fine": FINER}) == FINER
    ledger.profiles.use(FINE)
    with pytest.raises(ProfileChanged) as refused:
        ledger.profiles.named("fine", {"fine": FINER})
    assert refused.value.sentence.endswith("its definition has changed since: scaled was 100, and is 10")
    with pytest.raises(ProfileChanged):
        ledger.profiles.use(FINER)
    with pytest.raises(sqlite3.IntegrityError, match="never changes"):
        ledger.storage.connection.execute("UPDATE profiles SET sha256 = 'x'")


def test_unknown_profile_is_refused_with_a_list(ledger: Ledger) -> None:
    ledger.profiles.use(FINE)
    with pytest.raises(UsageError, match="there is no profile 'x'") as refused:
        ledger.profiles.named("x", {"coarse": FINER})
    assert "sra-v1, genomes-v1, coarse, fine" in refused.value.hint


def enqueue_pass(ledger: Ledger) -> tuple[int, int]:
    """Return the jobs of two profiles for one source, sketched in one pass."""
    ledger.profiles.use(FINE)
    first = request()
    answers = ledger.jobs.enqueue([first, JobRequest(first.source, "fine")])
    lead, other = (answer.job_id or 0 for answer in answers)
    ledger.jobs.put_behind(lead, [other])
    return lead, other


def test_jobs_of_a_pass_start_when_the_first_has_ended(ledger: Ledger) -> None:
    lead, other = enqueue_pass(ledger)
    assert list(ledger.jobs.next_jobs(5)) == [lead]
    job = ledger.attempts.claim(lead, "daemon", 60.0)
    assert job is not None
    assert job.others == ((other, FINE),)
    assert list(ledger.jobs.next_jobs(5)) == []
    failure = Failure(Reason.NOT_FOUND, "gone")
    assert ledger.attempts.finish(JobResult(lead, job.attempt, failure=failure), RetryPolicy()) is JobState.UNAVAILABLE
    assert list(ledger.jobs.next_jobs(5)) == [other]
    claimed = ledger.attempts.claim(other, "daemon", 60.0)
    assert claimed is not None
    assert (claimed.behind, claimed.definition, claimed.others) == (0, FINE, ())


def test_job_of_a_pass_can_start_alone(ledger: Ledger) -> None:
    lead, other = enqueue_pass(ledger)
    assert ledger.attempts.claim(other, "here", 60.0) is not None
    job = ledger.attempts.claim(lead, "daemon", 60.0)
    assert job is not None
    assert job.others == ()


def test_cancelled_job_releases_its_pass(ledger: Ledger) -> None:
    lead, other = enqueue_pass(ledger)
    ledger.jobs.cancel([lead])
    assert list(ledger.jobs.next_jobs(5)) == [other]
    ledger.jobs.put_behind(lead, [other])  # too late
    assert list(ledger.jobs.next_jobs(5)) == [other]
