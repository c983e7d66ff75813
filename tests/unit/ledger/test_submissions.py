"""Submissions: one for each content and name, and how verifications change their trust."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import PROFILE, published
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.ledger.submissions import VerifyRequest
from wort_cli.model.accession import Accession, LocalName
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobKind, JobState, Source
from wort_cli.model.job_result import JobResult
from wort_cli.model.provenance import Trust
from wort_cli.model.submission import Lookup, SourceCheck, Submission
from wort_cli.model.verdict import Depth, Verdict
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.settings import load_settings

RUN = Accession("SRR139146")
DIGEST = "ab" * 32


def submission(name: Accession | LocalName = RUN, digest: str = DIGEST) -> Submission:
    return Submission(
        name, PROFILE, digest, Trust.UNVERIFIED, f"submitted/{digest}/{name}.sig", 9, "0" * 64, "ann", 1.0, "x.sig", "",
        SourceCheck.NOT_CHECKED, "offline",
    )  # fmt: skip


def request(of: Submission, depth: Depth = Depth.FULL) -> VerifyRequest:
    return VerifyRequest(Source(of.name), of.profile, of.path, of.digest, depth)


def concluded(ledger: Ledger, of: Submission, trust: Trust, *, publish: bool = False) -> JobState | None:
    [job_id] = ledger.submissions.enqueue_verifications([request(of)])
    job = ledger.attempts.claim(job_id, "me", 60)
    assert job is not None
    result = JobResult(
        job_id, job.attempt, published(str(of.name), digest=of.digest) if publish else None, None,
        Verdict(trust, Depth.FULL, "why" if trust is Trust.MISMATCH else ""),
    )  # fmt: skip
    return ledger.attempts.finish(result, RetryPolicy())


def test_first_submission_of_a_content_is_kept(ledger: Ledger) -> None:
    assert ledger.submissions.add(submission())
    assert not ledger.submissions.add(replace(submission(), submitter="bob", source_check=SourceCheck.PUBLIC))
    kept = ledger.submissions.get(DIGEST, RUN)
    assert kept is not None
    assert (kept.submitter, kept.source_check) == ("ann", SourceCheck.PUBLIC)


def test_submissions_are_found_by_name_and_by_digest_prefix(ledger: Ledger) -> None:
    other = submission(LocalName("x"), "abcd" + "0" * 60)
    for one in (submission(), other):
        ledger.submissions.add(one)
    assert [one.digest for one in ledger.submissions.named(RUN)] == [DIGEST]
    assert [str(one.name) for one in ledger.submissions.with_digest_prefix("abcd0000")] == ["x"]
    assert ledger.submissions.with_digest_prefix("abababab") == [submission()]
    for text in ("ab", "ABABABAB", "SRR139146", "' OR 1=1", "g" * 8):
        assert ledger.submissions.with_digest_prefix(text) == []


def test_second_request_for_a_live_verification_returns_it_and_may_make_it_full(ledger: Ledger) -> None:
    ledger.submissions.add(submission())
    first = ledger.submissions.enqueue_verifications([request(submission(), Depth.QUICK)])
    assert ledger.submissions.enqueue_verifications([request(submission())]) == first
    job = ledger.jobs.get(first[0])
    assert (job.kind, job.depth, job.subject_digest) == (JobKind.VERIFY, "full", DIGEST)
    ledger.jobs.cancel(first)
    assert ledger.submissions.enqueue_verifications([request(submission())]) != first


def test_computation_and_verifications_of_a_run_can_be_live_at_once(ledger: Ledger) -> None:
    from tests.support.builders import request as compute

    two = [submission(), submission(digest="cd" * 32)]
    ledger.submissions.enqueue_verifications([request(one) for one in two])
    ledger.jobs.enqueue([compute(str(RUN))])
    assert len(ledger.jobs.next_jobs(10)) == 3
    assert ledger.jobs.retry([1]) == 0
    ledger.jobs.cancel([1])
    assert ledger.jobs.retry([1]) == 1  # although newer jobs have the same name


@pytest.mark.parametrize("trust", [Trust.VERIFIED, Trust.QUICK_CHECKED, Trust.MISMATCH])
def test_verdict_becomes_the_trust_of_the_submission(trust: Trust, ledger: Ledger) -> None:
    ledger.submissions.add(submission())
    assert concluded(ledger, submission(), trust, publish=trust is Trust.VERIFIED) is JobState.DONE
    kept = ledger.submissions.get(DIGEST, RUN)
    assert kept is not None
    assert kept.trust is trust
    record = ledger.catalog.get(RUN, PROFILE)
    assert (record.trust if record else None) == (Trust.VERIFIED if trust is Trust.VERIFIED else None)
    assert ledger.jobs.get(1).verdict is trust
    report = ledger.submissions.last_verdict(kept.path)
    assert report is not None
    assert report.trust is trust
    assert ledger.submissions.unverified() == []


def test_a_late_verdict_changes_nothing(ledger: Ledger) -> None:
    ledger.submissions.add(submission())
    [job_id] = ledger.submissions.enqueue_verifications([request(submission())])
    ledger.attempts.claim(job_id, "me", 60)
    ledger.attempts.requeue(job_id, 1, "lost")
    ledger.attempts.claim(job_id, "me", 60)
    late = JobResult(job_id, 1, verdict=Verdict(Trust.MISMATCH, Depth.FULL, "why"))
    assert ledger.attempts.finish(late, RetryPolicy()) is None
    assert ledger.submissions.unverified() == [submission()]
    assert ledger.submissions.last_verdict(submission().path) is None


@pytest.mark.parametrize(
    ("reason", "state", "trust"),
    [
        (Reason.CONTROLLED, JobState.UNAVAILABLE, Trust.UNVERIFIABLE),
        (Reason.NOT_FOUND, JobState.UNAVAILABLE, Trust.UNVERIFIABLE),
        (Reason.CORRUPT, JobState.FAILED, Trust.UNVERIFIED),
        (Reason.NETWORK, JobState.WAITING, Trust.UNVERIFIED),
    ],
)
def test_only_an_unavailable_source_makes_a_submission_unverifiable(
    reason: Reason, state: JobState, trust: Trust, ledger: Ledger
) -> None:
    ledger.submissions.add(submission())
    [job_id] = ledger.submissions.enqueue_verifications([request(submission())])
    ledger.attempts.claim(job_id, "me", 60)
    assert ledger.attempts.finish(JobResult(job_id, 1, failure=Failure(reason, "x")), RetryPolicy()) is state
    kept = ledger.submissions.get(DIGEST, RUN)
    assert kept is not None
    assert kept.trust is trust
    assert kept.why == (f"{reason}: {reason.sentence}" if trust is Trust.UNVERIFIABLE else "")


def test_recomputing_the_same_content_keeps_it_verified(ledger: Ledger) -> None:
    from tests.support.builders import request as compute

    ledger.submissions.add(submission())
    concluded(ledger, submission(), Trust.VERIFIED, publish=True)
    for digest, trust in ((DIGEST, Trust.VERIFIED), ("ef" * 32, Trust.COMPUTED)):
        [answer] = ledger.jobs.enqueue([compute(str(RUN))], force=True)
        assert answer.job_id is not None
        job = ledger.attempts.claim(answer.job_id, "me", 60)
        assert job is not None
        ledger.attempts.finish(JobResult(job.id, job.attempt, published(str(RUN), digest=digest)), RetryPolicy())
        record = ledger.catalog.get(RUN, PROFILE)
        assert record is not None
        assert record.trust is trust


def test_last_lookup_of_a_run_is_stored(ledger: Ledger) -> None:
    assert ledger.submissions.lookup(RUN) is None
    for lookup in (Lookup(False, "no", 1.0), Lookup(True, "ENA knows it", 2.0)):
        ledger.submissions.record_lookup(RUN, lookup)
        assert ledger.submissions.lookup(RUN) == lookup


def test_job_spec_of_a_verification_names_its_subject(ledger: Ledger, tmp_path: Path) -> None:
    settings = load_settings({"WORT_HOME": str(tmp_path)})
    [job_id] = ledger.submissions.enqueue_verifications([request(submission(), Depth.QUICK)])
    spec = JobSpec.of(ledger.jobs.get(job_id), settings, jobs=1)
    assert spec.subject is not None
    assert spec.subject.path == settings.store_dir / submission().path
    assert (spec.subject.digest, spec.subject.depth) == (DIGEST, Depth.QUICK)
    assert JobSpec.from_json(spec.to_json()) == spec
