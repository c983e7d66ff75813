"""`wort verify`: recalculate signatures, and say whether they are right; with --now in this process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wort_cli.commands.shared import outcome, render
from wort_cli.commands.shared.context import JsonOption, begin
from wort_cli.commands.shared.follow import follow, showing_one
from wort_cli.errors import DaemonNotRunning, NoSuchJob, UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.job import Job
from wort_cli.model.profile import profile_named
from wort_cli.model.provenance import SignatureRecord, Trust
from wort_cli.model.submission import Submission
from wort_cli.model.verdict import UNDECIDED, Depth
from wort_cli.settings import ENGINES, Settings
from wort_cli.system.daemon_lock import running_daemon

if TYPE_CHECKING:
    from wort_cli.ledger.submissions import VerifyRequest

COLUMNS = ("name", "trust", "depth", "state", "job", "why")
NO_RECIPE = "its data are at a URL, and there is no recipe that reads them"


@dataclass(frozen=True)
class Asked:
    """One signature that is to be verified: its job, or why there can be none."""

    name: str
    digest: str
    subject: str
    job_id: int | None
    why: str = ""


def verify(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID|FILE", help="Runs, digests of submissions, or signature files (handed in then)."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick/--full", help="Look at a few slices, which can refute, or recalculate everything.")
    ] = False,
    unverified: Annotated[bool, typer.Option("--unverified", help="All submissions that wait for it.")] = False,
    wait: Annotated[bool, typer.Option("-w", "--wait", help="Follow the jobs until they have ended.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Verify in this process, without a daemon.")] = False,
    engine: Annotated[
        str, typer.Option("--engine", metavar="E", help="The code that recalculates: kernel, or sourmash as a witness.")
    ] = "",
    priority: Annotated[
        int, typer.Option("--priority", min=-1000, max=1000, help="The highest is verified first.")
    ] = 0,
    group: Annotated[str, typer.Option("-g", "--group", metavar="NAME", help="Put the jobs into a group.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Verify signatures by recalculation; exit code 5 if one is not what it says."""
    if wait and now:
        raise UsageError("--wait and --now exclude each other", "--now verifies at once, in this process")
    if engine and engine not in ENGINES:
        raise UsageError(f"there is no engine {shown(engine)}", f"there are: {', '.join(ENGINES)}")
    if bool(ids) == unverified:
        raise UsageError("which signatures?", "give runs, digests or files, or --unverified")
    settings, ledger = begin()
    if wait and running_daemon(settings.lock_file) is None:
        raise DaemonNotRunning("--wait needs the daemon, and none is running; nothing was queued")
    from wort_cli.commands.shared.verification import request_of

    depth = Depth.QUICK if quick else Depth.FULL
    found: list[Submission | SignatureRecord] = list(ledger.submissions.unverified()) if unverified else []
    for word in ids or []:
        found += [item for item in meant(word, settings, ledger) if item not in found]
    if not found:
        render.say("nothing waits to be verified")
    requests: dict[str, VerifyRequest] = {}
    asked = []
    for item in found:
        if isinstance(item, Submission) and not item.is_of_a_run:
            ledger.submissions.mark_unverifiable(item, NO_RECIPE)
            asked.append(Asked(str(item.name), item.digest, item.path, None, NO_RECIPE))
            continue
        requests[item.path] = request_of(item, depth, priority=priority, group=group, engine=engine)
        asked.append(Asked(str(item.name), item.digest, item.path, 0))
    numbers = dict(zip(requests, ledger.submissions.enqueue_verifications(list(requests.values())), strict=True))
    jobs = see_through(list(numbers.values()), ledger, settings, wait=wait, now=now)
    ended = {subject: jobs[number] for subject, number in numbers.items()}
    records = [record_of(item, ended.get(item.subject), ledger, finished=wait or now) for item in asked]
    render.table(COLUMNS, records, as_json=as_json)
    if not (wait or now):
        say_what_is_next(len(requests), settings)
        return
    explain(records)
    outcome.explain(list(ended.values()))
    outcome.end_with(list(ended.values()))


def meant(word: str, settings: Settings, ledger: Ledger) -> Sequence[Submission | SignatureRecord]:
    """The signatures that a word stands for; a file is handed in first.

    Of a name: what was handed in and is not proved or refuted yet; or else our own; or else whatever was handed in.
    """
    if "/" in word or word.endswith((".sig", ".gz", ".json")):
        from wort_cli.submission.intake import Claims, parse_submitter, submit_signature

        return [submit_signature(word, Claims(parse_submitter("")), settings, ledger)]
    name = parse_name(word)
    submitted = ledger.submissions.named(name) or ledger.submissions.with_digest_prefix(word)
    open_ones = [item for item in submitted if item.trust in UNDECIDED]
    if open_ones:
        return open_ones
    record = ledger.catalog.get(name, profile_named(settings.profile).name)
    if record is not None and not record.path:
        raise UsageError(f"the signature of {name} is in the bucket only", f"`wort sync pull {name}` brings it here")
    if record is not None:
        return [record]
    if not submitted:
        raise NoSuchJob(word)
    return submitted


def see_through(job_ids: Sequence[int], ledger: Ledger, settings: Settings, *, wait: bool, now: bool) -> dict[int, Job]:
    """The jobs as they are, or as they ended; by number."""
    if now:
        from wort_cli.foreground import compute_now

        done = {}
        for job_id in job_ids:
            with showing_one() as show:
                done[job_id] = compute_now(job_id, ledger, settings, show)
        return done
    return {job.id: job for job in (follow(ledger, job_ids) if wait else ledger.jobs.with_ids(job_ids))}


def record_of(asked: Asked, job: Job | None, ledger: Ledger, *, finished: bool) -> dict[str, Any]:
    """What came of one verification."""
    if job is None:
        return {"name": asked.name, "digest": asked.digest, "trust": str(Trust.UNVERIFIABLE), "depth": "", "state": "",
                "job": "", "why": asked.why, "reason": "", "verdict": None}  # fmt: skip
    verdict = ledger.submissions.last_verdict(asked.subject) if finished and job.verdict else None
    gone = finished and job.state == "unavailable"
    trust = str(verdict.trust) if verdict else str(Trust.UNVERIFIABLE) if gone else ""
    return {
        "name": asked.name,
        "digest": asked.digest,
        "trust": trust,
        "depth": str(verdict.depth if verdict else job.depth),
        "state": str(job.state),
        "job": job.id,
        "why": verdict.cause if verdict else str(job.reason or ""),
        "reason": str(job.reason or ""),
        "verdict": verdict.to_json() if verdict else None,
    }


def explain(records: Sequence[dict[str, Any]]) -> None:
    """Say of each signature that was refuted how it differs."""
    from wort_cli.model.verdict import Verdict

    for record in records:
        if record["trust"] == Trust.MISMATCH:
            verdict = Verdict.from_json(record["verdict"])
            render.say(f"{record['name']}: {render.printable(verdict.sentence())}")
            for comparison in verdict.comparisons:
                render.say(f"  {comparison.sentence()}")


def say_what_is_next(queued: int, settings: Settings) -> None:
    """Name the next command, and tell if there is no daemon to do the work."""
    there = f"{render.count(queued, 'verification')} in the queue"
    if queued and running_daemon(settings.lock_file) is None:
        render.say(f"{there}, but no daemon is running: `wort daemon start`")
    elif queued:
        render.say(f"{there}; follow with `wort wait --all`")
