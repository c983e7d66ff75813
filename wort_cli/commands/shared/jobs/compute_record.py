"""Records of `wort compute`: the answers to its requests, the plans of a dry run, and the results of jobs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.commands.shared.jobs.estimate import ESTIMATE, estimate, estimate_record, sample_of, sentences
from wort_cli.commands.shared.jobs.job_record import REASON
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import (
    BOOLEAN,
    BYTES,
    ID,
    JOB,
    MESSAGE,
    PATH,
    PATH_FIELD,
    TEXT,
    Document,
    Field,
    one_of,
    record_of,
)
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.ledger.catalog import Measured
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
from wort_cli.ledger.runs import Amounts
from wort_cli.model.archive_format import Format
from wort_cli.model.job import Job, JobState
from wort_cli.model.s3_target import is_in_bucket
from wort_cli.settings import Settings

IN_BUCKET = "in the bucket"
"""The state that a person reads of a signature that only the bucket has."""
WOULD_BE_QUEUED = f"would be {EnqueueStatus.QUEUED}"
DOCUMENT = Document(
    "compute",
    "The results of the requested signatures.",
    rows="signatures",
    row=(
        Field("name", ID, "The name of the signature"),
        Field("profile", TEXT, "The profile of the signature"),
        Field(
            "state",
            one_of(dict.fromkeys([*EnqueueStatus, WOULD_BE_QUEUED, *JobState])),
            "The answer to the request, or the state in which the job ended",
        ),
        Field("job", JOB, "The number of the job; null if none computed the signature", optional=True),
        REASON,
        PATH_FIELD,
        Field("where", one_of(("local", "bucket")), "Which store has the signature", optional=True),
        Field("format", one_of(Format), "In a dry run: the format of the archive", optional=True),
        Field("fetch", BYTES, "In a dry run: what would be fetched of the archive", optional=True, title="to fetch"),
        Field("archive_size", BYTES, "In a dry run: the size of the archive", optional=True, title="archive"),
        Field("archive", PATH, "In a dry run: the path or the URL of the archive", optional=True, title="from"),
        MESSAGE,
    ),
    head=(
        Field("dry_run", BOOLEAN, "Whether nothing was done"),
        Field("estimate", record_of(*ESTIMATE), "In a dry run: what all runs together will take", optional=True),
    ),
    columns=("name", "state", "job", "reason"),
)
DONE: Mapping[str, Any] = {"dry_run": False, "estimate": None}
"""The head of the document unless it is a dry run."""
PLAN_COLUMNS = ("format", "fetch", "archive_size", "archive", "message")
NO_PLAN: Mapping[str, Any] = dict.fromkeys(PLAN_COLUMNS)
LISTED_RUNS = 20
"""A terminal shows the state of each run up to this number, and only counts for more."""


def answer_record(answer: Enqueued, finder: SignatureFinder) -> dict[str, Any]:
    """Return the ledger's answer to a request with the keys of DOCUMENT."""
    path = location_of(answer, finder) if answer.status is EnqueueStatus.EXISTS else ""
    return {
        "name": str(answer.source.name),
        "profile": answer.profile,
        "state": str(answer.status),
        "job": answer.job_id,
        "reason": answer.reason or None,
        "path": path or None,
        "where": where(path),
        **NO_PLAN,
    }


def location_of(answer: Enqueued, finder: SignatureFinder) -> str:
    """Return where the requested signature is; empty for nowhere."""
    return finder.of_profile(answer.profile).location(answer.source.name)


def columns_of(answers: Sequence[Enqueued], *more: str) -> tuple[str, ...]:
    """Return the columns of a table: the profile is shown if there are several."""
    name, *rest = DOCUMENT.columns
    several = len({answer.profile for answer in answers}) > 1
    return (name, *(["profile"] if several else []), *rest, *more)


def where(path: str) -> str | None:
    """Return which store has a signature, by its location; None if none has it."""
    return None if not path else "bucket" if is_in_bucket(path) else "local"


def print_answers(
    records: Iterable[dict[str, Any]],
    number: int,
    form: Form,
    *,
    header: bool,
    head: Mapping[str, Any] = DONE,
    columns: Sequence[str] = DOCUMENT.columns,
) -> None:
    """Print a line for each of `number` requests; a terminal gets counts if there are many."""
    if form is not Form.TERMINAL or number <= LISTED_RUNS:
        print_records(DOCUMENT, records, form, header=header, head=head, columns=columns)
        return
    for state, of_state in Counter(record["state"] for record in records).items():
        render.result(f"{render.count(of_state, 'run')} {state}")


def print_plans(
    answers: Sequence[Enqueued],
    finder: SignatureFinder,
    settings: Settings,
    form: Form,
    measured: Measured | None,
    known: Amounts,
    *,
    header: bool,
    jobs: int,
) -> None:
    """Print what would be done and, on stderr, an estimate of what that takes; for few runs, what would be fetched."""
    from wort_cli.commands.shared.jobs.plan_record import plan_records

    planned = [n for n, answer in enumerate(answers) if answer.status is EnqueueStatus.QUEUED]
    looked_at = sample_of(planned)
    plans = list(plan_records([answers[n].source for n in looked_at], settings))
    shown = dict(zip(planned, plans, strict=True)) if len(looked_at) == len(planned) else {}

    def record_of_plan(n: int) -> dict[str, Any]:
        record = answer_record(answers[n], finder)
        if answers[n].status is EnqueueStatus.QUEUED:
            record["state"] = WOULD_BE_QUEUED
        return {**record, **shown.get(n, {})}

    columns = columns_of(answers, *PLAN_COLUMNS)
    found = estimate(plans, len(planned), measured, jobs, settings.fetch_ahead, known)
    head = {"dry_run": True, "estimate": estimate_record(found, len(planned))}
    print_answers(
        map(record_of_plan, range(len(answers))), len(answers), form, header=header, head=head, columns=columns
    )
    if planned:
        for sentence in sentences(found, plans, len(planned), measured, jobs):
            render.notice(sentence)


def print_jobs(
    answers: Sequence[Enqueued], jobs: dict[int, Job], finder: SignatureFinder, form: Form, *, header: bool
) -> None:
    """Print how the jobs ended and where their signatures are."""
    records, only_in_bucket = [], 0
    for answer in answers:
        job = jobs.get(answer.job_id or 0)
        path = location_of(answer, finder) if job is None or job.state is JobState.DONE else ""
        only_in_bucket += where(path) == "bucket"
        state = str(job.state if job else answer.status)
        records.append(
            {
                "name": str(answer.source.name),
                "profile": answer.profile,
                "state": state if form is Form.JSON or where(path) != "bucket" else IN_BUCKET,
                "job": answer.job_id,
                "reason": str(job.reason) if job and job.reason else None,
                "path": path or None,
                "where": where(path),
                **NO_PLAN,
                "message": (job.message or None) if job else None,
            }
        )
    columns = columns_of(answers, "path")
    print_records(DOCUMENT, records, form, header=header, head=DONE, columns=columns)
    if only_in_bucket:
        render.notice(f"{render.count(only_in_bucket, 'signature')} only in the bucket; `--local` downloads them")
