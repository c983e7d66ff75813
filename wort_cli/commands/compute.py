"""`wort compute`: queue runs and archives; with --wait follow them, with --now compute them in this process."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from wort_cli.commands.shared import outcome, render
from wort_cli.commands.shared.context import JsonOption, begin
from wort_cli.commands.shared.follow import follow, showing_one
from wort_cli.commands.shared.output import write_output
from wort_cli.commands.shared.signature_finder import Place
from wort_cli.commands.shared.sources import parse_sources
from wort_cli.errors import DaemonNotRunning, UsageError, shown
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name
from wort_cli.model.job import Job, JobRequest, JobState
from wort_cli.model.profile import profile_named
from wort_cli.settings import ENGINES, Settings
from wort_cli.system.daemon_lock import running_daemon

COLUMNS = ("name", "state", "job", "reason", "path")
TOGETHER, PAUSE = 20_000, 0.15
"""Runs that are accepted in one transaction, of some tenths of a second, and the seconds until the next one begins: who
waits for SQLite's lock looks every tenth of a second.
"""
SHOWN = 20
"""Runs that a terminal lists one by one."""


def compute(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID|-", help="Accessions of runs, paths of archives, or - to read them from stdin."),
    ] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from-file", metavar="FILE", help="Read them from a file, one a line; # comments.")
    ] = None,
    force: Annotated[bool, typer.Option("-f", "--force", help="Compute again what is there or unavailable.")] = False,
    dry_run: Annotated[bool, typer.Option("-n", "--dry-run", help="Say what would be done, and do nothing.")] = False,
    priority: Annotated[
        int, typer.Option("--priority", min=-1000, max=1000, help="The highest is computed first.")
    ] = 0,
    group: Annotated[str, typer.Option("-g", "--group", metavar="NAME", help="Put the jobs into a group.")] = "",
    wait: Annotated[bool, typer.Option("-w", "--wait", help="Follow the jobs until they have ended.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Compute in this process, without a daemon.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE|DIR", help="Also write the signature there (with --wait or --now)."
        ),
    ] = None,
    no_upload: Annotated[
        bool, typer.Option("--no-upload", help="Leave the bucket alone: neither look there nor publish to it.")
    ] = False,
    name: Annotated[
        str, typer.Option("--name", help="The name of the signature of an archive (default: its stem).")
    ] = "",
    profile: Annotated[str, typer.Option("--profile", metavar="P", help="The recipe (default: the setting).")] = "",
    engine: Annotated[
        str,
        typer.Option("--engine", metavar="E", help="The code that sketches: kernel, or sourmash (slower, same bytes)."),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Compute signatures of sequencing runs."""
    if wait and now:
        raise UsageError("--wait and --now exclude each other", "--now computes at once, in this process")
    if output is not None and not (wait or now):
        raise UsageError("-o needs --wait or --now", "or write it out later: `wort view ID -o FILE`")
    if engine and engine not in ENGINES:
        raise UsageError(f"there is no engine {shown(engine)}", f"there are: {', '.join(ENGINES)}")
    sources = parse_sources(ids or [], from_file, name)
    if output is not None:
        check_output(output, len(sources))
    settings, ledger = begin()
    profile_name = profile_named(profile or settings.profile).name
    if wait and not dry_run and running_daemon(settings.lock_file) is None:
        raise DaemonNotRunning("--wait needs the daemon, and none is running; nothing was queued")
    requests = [JobRequest(source, profile_name, priority, group, engine, not no_upload) for source in sources]
    place = Place(settings, ledger, profile_name)
    answers = enqueue(ledger, place, requests, force=force, dry_run=dry_run)
    if dry_run:
        show_answers(answers, as_json=as_json, would=True)
        return
    if not (wait or now):
        show_answers(answers, as_json=as_json)
        say_what_is_next(answers, settings)
        outcome.leave(outcome.exit_code(state_at_once(answer) for answer in answers))
        return
    jobs = carry_out(answers, ledger, settings, now=now)
    if output is not None:
        for source in sources:
            copy_out(place, source.name, output)
    show_jobs(answers, jobs, place, as_json=as_json)
    outcome.explain(list(jobs.values()))
    outcome.leave(outcome.exit_code(jobs[a.job_id].state if a.job_id in jobs else JobState.DONE for a in answers))


def state_at_once(answer: Enqueued) -> JobState:
    """What an answer stands for while nobody waits: what was queued is as good as done."""
    return JobState.UNAVAILABLE if answer.status is EnqueueStatus.UNAVAILABLE else JobState.DONE


def enqueue(
    ledger: Ledger, place: Place, requests: Sequence[JobRequest], *, force: bool, dry_run: bool
) -> list[Enqueued]:
    """Have the ledger accept the requests; a signature that is in neither store any more is asked for anew.

    Many are accepted part by part, so that the daemon gets a word in; what can't be accepted is found before the first.
    """
    if len(requests) > TOGETHER:
        ledger.jobs.enqueue(requests, force=force, dry_run=True)
    answers: list[Enqueued] = []
    for first in range(0, len(requests), TOGETHER):
        if first:
            time.sleep(PAUSE)
        answers += ledger.jobs.enqueue(requests[first : first + TOGETHER], force=force, dry_run=dry_run)
    lost = [n for n, a in enumerate(answers) if a.status is EnqueueStatus.EXISTS and not place.of(a.source.name)]
    if lost:
        anew = ledger.jobs.enqueue([requests[n] for n in lost], lost=True, dry_run=dry_run)
        for n, answer in zip(lost, anew, strict=True):
            answers[n] = answer
    return answers


def carry_out(answers: Sequence[Enqueued], ledger: Ledger, settings: Settings, *, now: bool) -> dict[int, Job]:
    """See the jobs through; return them as they ended, by number.  What is there already has none."""
    job_ids = [a.job_id for a in answers if a.job_id is not None and a.status is not EnqueueStatus.EXISTS]
    if not now:
        return {job.id: job for job in follow(ledger, job_ids)}
    from wort_cli.foreground import compute_now

    try:
        done = {}
        for job_id in job_ids:
            with showing_one() as show:
                done[job_id] = compute_now(job_id, ledger, settings, show)
        return done
    except KeyboardInterrupt:
        ledger.jobs.cancel(a.job_id for a in answers if a.job_id is not None and a.status is EnqueueStatus.QUEUED)
        render.say("cancelled what was not done")
        raise


def check_output(output: Path, number: int) -> None:
    """UsageError unless the signatures can be written there."""
    directory = output if output.is_dir() else output.absolute().parent
    if not output.is_dir() and number != 1:
        raise UsageError(
            f"-o {output} is not a directory, and there are {number} signatures", "make the directory first"
        )
    if not directory.is_dir():
        raise UsageError(f"-o: there is no directory {directory}")
    if not os.access(directory, os.W_OK):
        raise UsageError(f"-o: {directory} can't be written", "check its permissions")


def copy_out(place: Place, name: Name, output: Path) -> None:
    """Write a stored signature where the person wants it; one that is not there was explained elsewhere."""
    target = output / f"{name}.sig" if output.is_dir() else output
    if not place.of(name):
        return
    with place.opened(name) as stored:
        write_output(target, stored, f"the signature is kept: `wort view {name} -o FILE`")


def show_answers(answers: Sequence[Enqueued], *, as_json: bool, would: bool = False) -> None:
    """What became of the requests; a terminal gets a summary if they are many."""
    records: list[dict[str, Any]] = [
        {
            "name": str(answer.source.name),
            "state": f"would be {answer.status}"
            if would and answer.status is EnqueueStatus.QUEUED
            else str(answer.status),
            "job": answer.job_id or "",
            "reason": answer.reason,
        }
        for answer in answers
    ]
    if as_json or not render.to_terminal() or len(records) <= SHOWN:
        render.table(COLUMNS[:4], records, as_json=as_json)
    else:
        for kind in EnqueueStatus:
            if number := sum(answer.status is kind for answer in answers):
                render.result(f"{render.count(number, 'run')} {'would be ' if would else ''}{kind}")


def say_what_is_next(answers: Sequence[Enqueued], settings: Settings) -> None:
    """Name the next command, and tell if there is no daemon to do the work."""
    queued = sum(answer.status in (EnqueueStatus.QUEUED, EnqueueStatus.LIVE) for answer in answers)
    if not queued:
        if len(answers) == 1 and answers[0].status is EnqueueStatus.EXISTS:
            render.say(f"look at it with `wort view {answers[0].source.name}`; --force computes it again")
        return
    if running_daemon(settings.lock_file) is None:
        render.say(f"{render.count(queued, 'job')} in the queue, but no daemon is running: `wort daemon start`")
    else:
        render.say(f"{render.count(queued, 'job')} in the queue; follow with `wort wait --all` or `wort status`")


def show_jobs(answers: Sequence[Enqueued], jobs: dict[int, Job], place: Place, *, as_json: bool) -> None:
    """How the jobs ended, and where the signatures are."""
    records = []
    for answer in answers:
        job = jobs.get(answer.job_id or 0)
        good = job is None or job.state is JobState.DONE
        records.append(
            {
                "name": str(answer.source.name),
                "state": str(job.state if job else answer.status),
                "job": answer.job_id or "",
                "reason": str(job.reason or "") if job else "",
                "path": place.of(answer.source.name) if good else "",
            }
        )
    render.table(COLUMNS, records, as_json=as_json)
