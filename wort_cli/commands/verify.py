"""`wort verify`: recalculates signatures from the reads and compares; with --now in this process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wort_cli.api.waiting import FirstClaim
from wort_cli.commands.shared.arguments.options import (
    EngineOption,
    GroupOption,
    JsonOption,
    NoHeaderOption,
    NowOption,
    PriorityOption,
    ProfileOption,
    StrictOption,
    WaitOption,
    check_engine,
    check_wait_and_now,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home
from wort_cli.commands.shared.arguments.typed_names import typed_name
from wort_cli.commands.shared.jobs import outcome
from wort_cli.commands.shared.jobs.job_record import REASON
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import (
    ID,
    JOB,
    MESSAGE,
    PATH_FIELD,
    Document,
    Field,
    one_of,
)
from wort_cli.commands.shared.showing.follow import DaemonWatch, follow, run_now
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.commands.shared.verifying.verdict_record import VERDICT
from wort_cli.errors import DaemonNotRunning, NoSuchJob, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.job import Job, JobState
from wort_cli.model.profile import Profile, profile_for, profile_option
from wort_cli.model.provenance import SignatureRecord, Trust
from wort_cli.model.submission import Submission
from wort_cli.model.verdict import UNDECIDED, Depth
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore
from wort_cli.system.daemon_lock import running_daemon

if TYPE_CHECKING:
    from wort_cli.ledger.submissions import VerifyRequest

DOCUMENT = Document(
    "verify",
    "The verified signatures, or those whose verification was queued.",
    rows="signatures",
    row=(
        Field("name", ID, "The name of the signature"),
        Field("trust", one_of(Trust), "The trust after the verification; null before it has ended", optional=True),
        Field("depth", one_of(Depth), "Whether everything is recomputed, or a few slices", optional=True),
        Field("state", one_of(JobState), "The state of the job; null if the signature has none", optional=True),
        Field("job", JOB, "The number of the job", optional=True),
        REASON,
        MESSAGE,
        Field("digest", ID, "The digest of the signature's content"),
        PATH_FIELD,
        Field("verdict", VERDICT, "The result of the verification, once it has ended", optional=True),
    ),
    columns=("name", "trust", "depth", "state", "job", "reason", "message"),
)
NO_RECIPE = "its data are at a URL, and wort can recalculate only runs"


@dataclass(frozen=True)
class Target:
    """A signature that the command verifies."""

    signature: Submission | SignatureRecord
    why_not: str = ""
    """Why the signature cannot be recalculated; empty if it can."""

    @property
    def path(self) -> str:
        """The file of the signature, relative to the store."""
        return self.signature.path


def verify(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|FILE", help="Accessions, digests of submissions, or signature files (which are submitted)."
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick/--full", help="Compare a few slices, which can only refute, or recalculate everything."),
    ] = False,
    unverified: Annotated[bool, typer.Option("--unverified", help="Verify all unverified submissions.")] = False,
    wait: WaitOption = False,
    now: NowOption = False,
    profile: ProfileOption = "",
    engine: EngineOption = "",
    priority: PriorityOption = 0,
    group: GroupOption = "",
    strict: StrictOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Verify signatures by recalculating them from the reads.

    With --wait or --now, the exit code is 5 if a signature does not match the reads.
    """
    check_wait_and_now(wait=wait, now=now)
    check_engine(engine)
    if bool(ids) == unverified:
        raise UsageError("no signatures are named", "give accessions, digests or files, or --unverified")
    settings, ledger = open_home()
    if wait and running_daemon(settings.lock_file) is None:
        raise DaemonNotRunning("--wait needs the daemon, and none is running; nothing was queued")
    from wort_cli.api.verifications import verify_request
    from wort_cli.commands.shared.verifying.verification import suggest_next_command

    targets = selected(ids or [], settings, ledger, chosen_profile(profile, settings, ledger))
    depth = Depth.QUICK if quick else Depth.FULL
    requests = {
        target.path: verify_request(target.signature, depth, settings, priority=priority, group=group, engine=engine)
        for target in targets
        if not target.why_not
    }
    claim = FirstClaim(ledger, settings) if now else None
    jobs = run_or_follow(enqueue(requests, ledger, claim), ledger, settings, claim, wait=wait)
    records = [
        {
            **result_record(target, jobs.get(target.path), ledger, finished=wait or now),
            "path": str(settings.store_dir / target.path),
        }
        for target in targets
    ]
    print_records(DOCUMENT, records, Form.of(as_json=as_json), header=not no_header)
    if not (wait or now):
        suggest_next_command(len(requests), settings)
        return
    explain_mismatches(records)
    outcome.explain_unsuccessful(list(jobs.values()), daemon_runs=running_daemon(settings.lock_file) is not None)
    outcome.exit_for_jobs(list(jobs.values()), strict=strict)


def selected(words: Sequence[str], settings: Settings, ledger: Ledger, profile: Profile) -> list[Target]:
    """Return the signatures that the words name, each once; without words, all unverified submissions.

    Submissions of other data than a run are marked as unverifiable.
    """
    signatures: list[Submission | SignatureRecord] = [] if words else list(ledger.submissions.unverified())
    for word in words:
        signatures += [item for item in find_signatures(word, settings, ledger, profile) if item not in signatures]
    if not signatures:
        render.notice("there are no unverified submissions")
    targets = []
    for item in signatures:
        has_recipe = not isinstance(item, Submission) or item.is_of_a_run
        if isinstance(item, Submission) and not has_recipe:
            ledger.submissions.mark_unverifiable(item, NO_RECIPE)
        targets.append(Target(item, "" if has_recipe else NO_RECIPE))
    return targets


def enqueue(requests: Mapping[str, "VerifyRequest"], ledger: Ledger, claim: FirstClaim | None) -> dict[str, int]:
    """Enqueue verifications, and claim the first one for this process; return their jobs by the paths of signatures."""
    with ledger.transaction():
        numbers = ledger.submissions.enqueue_verifications(list(requests.values()))
        if claim is not None:
            claim(numbers)
    return dict(zip(requests, numbers, strict=True))


def find_signatures(
    word: str, settings: Settings, ledger: Ledger, profile: Profile
) -> Sequence[Submission | SignatureRecord]:
    """Return the signatures that a word of the command line names; a file is submitted first.

    A name selects its undecided submissions; without any, the signature in the catalog; without that, all submissions;
    without any, the signature in the bucket.  One that is only there is downloaded.
    """
    from wort_cli.commands.shared.verifying.verification import pull_signature

    if "/" in word or word.endswith((".sig", ".gz", ".json")):
        from wort_cli.submission.intake import Claims, parse_submitter, submit_signature

        return [submit_signature(word, Claims(parse_submitter("")), settings, ledger, profile)]
    name = typed_name(word)
    named = [item for item in ledger.submissions.named(name) if item.profile == profile_for(name, profile.name)]
    submitted = named or ledger.submissions.with_digest_prefix(word)
    undecided = [item for item in submitted if item.trust in UNDECIDED]
    if undecided:
        return undecided
    record = ledger.catalog.get(name, profile.name)
    if record is None and submitted:
        return submitted
    if isinstance(name, Accession) and not LocalStore(settings.store_dir, profile.name).has(name):
        record = pull_signature(name, profile, record, settings, ledger)
    if record is None:
        raise NoSuchJob(word)
    if not record.path:
        option = profile_option(profile.name, settings.profile)
        raise UsageError(
            f"the signature of {name} is no longer in the bucket", f"`wort compute {name}{option}` computes it"
        )
    return [record]


def run_or_follow(
    job_ids: Mapping[str, int], ledger: Ledger, settings: Settings, claim: FirstClaim | None, *, wait: bool
) -> dict[str, Job]:
    """Return the jobs with the keys of `job_ids`: as they ended (`wait`, or with a claim), or as they are."""
    numbers = list(job_ids.values())
    if claim is not None:
        jobs = run_now(numbers, ledger, settings, claim.job)
    elif wait:
        jobs = {job.id: job for job in follow(ledger, numbers, watch=DaemonWatch(ledger, settings))}
    else:
        jobs = {job.id: job for job in ledger.jobs.with_ids(numbers)}
    return {path: jobs[job_id] for path, job_id in job_ids.items()}


def result_record(target: Target, job: Job | None, ledger: Ledger, *, finished: bool) -> dict[str, Any]:
    """Return the record of one signature, without its path; it has a verdict only if the jobs are `finished`."""
    name, digest = str(target.signature.name), target.signature.digest
    if job is None:
        return {"name": name, "trust": str(Trust.UNVERIFIABLE), "depth": None, "state": None, "job": None,
                "reason": None, "message": target.why_not, "digest": digest, "verdict": None}  # fmt: skip
    verdict = ledger.submissions.last_verdict(target.path) if finished and job.verdict else None
    unavailable = finished and job.state == "unavailable"
    trust = str(verdict.trust) if verdict else str(Trust.UNVERIFIABLE) if unavailable else None
    return {
        "name": name,
        "trust": trust,
        "depth": str(verdict.depth if verdict else job.depth),
        "state": str(job.state),
        "job": job.id,
        "reason": str(job.reason) if job.reason else None,
        "message": (verdict.cause if verdict else job.message) or None,
        "digest": digest,
        "verdict": verdict.to_json() if verdict else None,
    }


def explain_mismatches(records: Sequence[dict[str, Any]]) -> None:
    """Write to stderr how each signature with a mismatch differs from its recalculation."""
    from wort_cli.model.verdict import Verdict

    for record in records:
        if record["trust"] == Trust.MISMATCH:
            verdict = Verdict.from_json(record["verdict"])
            render.notice(f"{record['name']}: {render.printable(verdict.sentence())}")
            for comparison in verdict.comparisons:
                render.notice(f"  {comparison.sentence()}")
