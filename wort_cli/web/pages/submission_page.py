"""The page of a signature that was submitted: each check of it, then the course of its verification, and the verdict.

Its address is permanent: the id of the intake, or the digest of the signature.
"""

import re
import time
from dataclasses import asdict, dataclass
from typing import Any

from wort_cli.ledger.ledger import Ledger
from wort_cli.model.intake import Intake, IntakeState
from wort_cli.model.job import Job, JobKind, JobState
from wort_cli.model.provenance import Trust
from wort_cli.model.submission import Submission
from wort_cli.model.units import iso_time
from wort_cli.model.verdict import Verdict
from wort_cli.reading.checks import IN_THE_SANDBOX, Check
from wort_cli.web.pages.job_view import JobView
from wort_cli.web.pages.run_page import SubmissionView, place_in_queue, submission_view

DIGEST = re.compile(r"[0-9a-f]{64}")
INTAKE = re.compile(r"[A-Za-z0-9_-]{16}")
EVENTS = 30
STOPPED = 600.0
"""Seconds after which an intake that this server does not check was interrupted."""
PASSED, FAILED, NOW, OPEN = "passed", "failed", "now", "open"
COURSE = {
    "queued": "its turn in the queue",
    "fetching": "the archive of the run is fetched and proved",
    "sketching": "the reads are sketched again",
    "comparing": "every hash and every abundance is compared",
}
"""The steps of a verification; the stages of a job belong to one of them."""
STEP_OF_STAGE = {"sketching": "sketching", "comparing": "comparing"}
"""The stages before belong to `fetching`."""


@dataclass(frozen=True)
class Step:
    """A check, or a step of the verification."""

    name: str
    sentence: str
    state: str
    """`passed`, `failed`, `now` or `open`."""
    detail: str = ""


@dataclass(frozen=True)
class SubmissionPage:
    """The content of the page."""

    id: str
    origin: str
    submitter: str
    received_at: str | None
    state: str
    """The state of the intake."""
    is_interrupted: bool
    checks: tuple[Step, ...]
    hint: str
    name: str
    submission: SubmissionView | None
    course: tuple[Step, ...]
    position: int | None
    """The place of the verification in the queue, from 1."""
    job: JobView | None
    verdict: str
    comparisons: tuple[str, ...]

    @property
    def heading(self) -> str:
        """The standing of the signature, in a few words."""
        if self.submission is not None:
            return HEADINGS.get(Trust(self.submission.trust), "Accepted")
        if self.is_interrupted:
            return "Interrupted"
        return {
            IntakeState.CHECKING: "Being checked",
            IntakeState.REFUSED: "Refused",
            IntakeState.FAILED: "Not taken",
            IntakeState.ACCEPTED: "Accepted, and removed since",
        }[IntakeState(self.state)]

    @property
    def failed(self) -> Step | None:
        """The check that failed."""
        return next((check for check in self.checks if check.state == FAILED), None)

    @property
    def is_live(self) -> bool:
        """Whether the page will soon show something else."""
        checking = self.state == IntakeState.CHECKING and not self.is_interrupted
        return checking or (self.job is not None and JobState(self.job.state).is_live)

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return {"heading": self.heading, **asdict(self)}


HEADINGS = {
    Trust.UNVERIFIED: "Accepted, not verified yet",
    Trust.QUICK_CHECKED: "Accepted, some slices compared",
    Trust.VERIFIED: "Verified",
    Trust.MISMATCH: "Refuted",
    Trust.UNVERIFIABLE: "Accepted, cannot be verified",
}


def submission_page(ledger: Ledger, key: str, *, is_checked_here: bool) -> SubmissionPage | None:
    """Return the page of an intake, or of a submission; None if there is none."""
    if DIGEST.fullmatch(key):
        found = ledger.submissions.with_digest_prefix(key)
        return page_of(ledger, None, found[0]) if found else None
    intake = ledger.intakes.get(key) if INTAKE.fullmatch(key) else None
    if intake is None:
        return None
    same = [one for one in ledger.submissions.with_digest_prefix(intake.digest) if str(one.name) == intake.name]
    is_old = time.time() > intake.received_at + STOPPED
    interrupted = intake.state is IntakeState.CHECKING and not is_checked_here and is_old
    return page_of(ledger, intake, same[0] if same else None, is_interrupted=interrupted)


def page_of(
    ledger: Ledger, intake: Intake | None, submission: Submission | None, *, is_interrupted: bool = False
) -> SubmissionPage:
    """Return the page of an intake or of a submission."""
    jobs = verifications_of(ledger, submission) if submission is not None else []
    job = jobs[0] if jobs else None
    verdict = ledger.submissions.last_verdict(submission.path) if submission is not None else None
    position = place_in_queue(ledger, job)
    made = intake or submission
    return SubmissionPage(
        id=intake.id if intake else submission.digest if submission else "",
        origin=made.origin if made else "",
        submitter=made.submitter if made else "",
        received_at=iso_time(intake.received_at if intake else submission.submitted_at if submission else 0.0),
        state=str(intake.state if intake else IntakeState.ACCEPTED),
        is_interrupted=is_interrupted,
        checks=checks_of(intake, submission),
        hint=intake.hint if intake else "",
        name=str(submission.name) if submission else "",
        submission=submission_view(submission) if submission else None,
        course=course_of(submission, job, verdict, position),
        position=position,
        job=JobView.of(job, ledger.job_pages.newest_events(job.id, EVENTS)) if job else None,
        verdict=verdict.sentence() if verdict else "",
        comparisons=tuple(one.sentence() for one in verdict.comparisons) if verdict else (),
    )


def verifications_of(ledger: Ledger, submission: Submission) -> list[Job]:
    """Return the verifications of a submission, newest first."""
    jobs = ledger.jobs.named(submission.name)
    return [job for job in jobs if job.kind is JobKind.VERIFY and job.subject == submission.path]


def checks_of(intake: Intake | None, submission: Submission | None) -> tuple[Step, ...]:
    """Return the checks, and how far each is.  All have passed of what was accepted."""
    if intake is None or intake.state is IntakeState.ACCEPTED:
        details = {Check.PUBLIC: submission.source_note} if submission else {}
        return tuple(Step(str(check), check.sentence, PASSED, details.get(check, "")) for check in Check)
    order = list(Check)
    reached = order.index(Check(intake.step)) if intake.step else 0
    has_failed = intake.state in (IntakeState.REFUSED, IntakeState.FAILED)
    found = []
    for number, check in enumerate(order):
        state = PASSED if number < reached else OPEN
        if number == reached:
            state = FAILED if has_failed else NOW
        elif not has_failed and order[reached] in IN_THE_SANDBOX and check in IN_THE_SANDBOX:
            state = NOW  # the reader makes these in one pass
        place = f" ({intake.place})" if intake.place else ""
        found.append(Step(str(check), check.sentence, state, f"{intake.why}{place}" if state == FAILED else ""))
    return tuple(found)


def course_of(
    submission: Submission | None, job: Job | None, verdict: Verdict | None, position: int | None
) -> tuple[Step, ...]:
    """Return the steps of the verification; none if there was never one."""
    if submission is None or job is None:
        return ()
    names = list(COURSE)
    details: dict[str, str] = {}
    if job.state is JobState.DONE:
        reached, at = len(names), PASSED
        if verdict is not None and verdict.trust is Trust.MISMATCH:
            reached, at = len(names) - 1, FAILED
            details[names[-1]] = verdict.cause
    elif job.state is JobState.RUNNING:
        stage = job.progress.stage if job.progress else ""
        reached, at = names.index(STEP_OF_STAGE.get(stage, "fetching")), NOW
    elif job.state in (JobState.QUEUED, JobState.WAITING):
        reached, at = 0, NOW
        if position:
            details["queued"] = "it starts next" if position == 1 else f"{position - 1:,} jobs start before it"
        if job.reason:
            details["queued"] = f"it is tried again: {job.reason.sentence}"
    else:
        reached, at = 1, FAILED
        details["fetching"] = f"{job.reason.sentence if job.reason else job.state}"
    return tuple(
        Step(name, COURSE[name], PASSED if n < reached else at if n == reached else OPEN, details.get(name, ""))
        for n, name in enumerate(names)
    )
