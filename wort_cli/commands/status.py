"""`wort status`, and `wort` without a command: the daemon, the number of jobs in each state, and the jobs."""

import sys
import time
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Annotated, Any

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.daemon_differences import notice_differences
from wort_cli.commands.shared.job_record import job_record, member_record
from wort_cli.commands.shared.options import JsonOption, SelectGroupOption, SelectReasonOption, SelectStateOption
from wort_cli.commands.shared.selection import (
    NAMES_AND_OPTIONS,
    check_group,
    find_job_ids,
    open_home_to_read,
    parse_reason,
    parse_state,
)
from wort_cli.errors import UsageError
from wort_cli.health.status import read_status
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Job, JobState
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import DaemonInfo

COLUMNS = (
    "job",
    "name",
    "state",
    "reason",
    "progress",
    "groups",
    "priority",
    "attempt",
    "queued",
    "ended",
    "message",
    "kind",
)
SHOWN = 50
"""Jobs that a terminal shows; a pipe and a file get all."""
RUNNING_SHOWN = 20
CLEAR = "\x1b[H\x1b[2J"
"""The escape sequence that clears a terminal (ECMA-48)."""


def status(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="ID|JOB", help="Show these: signature names, or job numbers.")
    ] = None,
    group: SelectGroupOption = "",
    state: SelectStateOption = "",
    reason: SelectReasonOption = "",
    number: Annotated[
        int | None,
        typer.Option(
            "-n", "--number", metavar="N", min=1, help="Show at most N jobs, the newest first (on a terminal: 50)."
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show all jobs, also on a terminal.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every second, until Ctrl-C.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values with a header.")] = False,
    as_tsv: Annotated[bool, typer.Option("--tsv", help="Print tab-separated values with a header.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a summary of the queue, or the jobs that are selected."""
    if as_csv + as_tsv + as_json > 1:
        raise UsageError("--csv, --tsv and --json exclude each other")
    if everything and number is not None:
        raise UsageError("--all and -n exclude each other")
    settings, ledger = open_home_to_read()
    job_filter = JobFilter(parse_state(state), parse_reason(reason), group)
    check_group(ledger, group)
    file_format = "csv" if as_csv else "tsv" if as_tsv else ""
    if number is None and not everything and render.is_terminal() and not (file_format or as_json):
        number = SHOWN
    while True:
        if watch and render.is_terminal():
            sys.stdout.write(CLEAR)
        if words or everything or job_filter != JobFilter() or file_format:
            print_jobs(ledger, words or [], job_filter, number, file_format=file_format, as_json=as_json)
        else:
            print_summary(settings, ledger, as_json=as_json)
        if not watch:
            return
        sys.stdout.flush()
        time.sleep(1)


def print_jobs(
    ledger: Ledger,
    words: list[str],
    job_filter: JobFilter,
    number: int | None,
    *,
    file_format: str = "",
    as_json: bool = False,
) -> None:
    """Print one row per job: the jobs that were named, or the newest `number` jobs of the filter (None: all)."""
    if words and job_filter != JobFilter():
        raise UsageError(NAMES_AND_OPTIONS)
    jobs: Iterable[Job]
    if words:
        jobs = sorted(ledger.jobs.with_ids(find_job_ids(ledger, words)), key=lambda job: job.id)
    elif number is None:
        jobs = ledger.jobs.every(job_filter)
    else:
        jobs = ledger.jobs.matching(job_filter, number)
    records: Iterable[dict[str, Any]] = chain(map(job_record, jobs), stored_records(ledger, job_filter))
    if number is not None and not words:
        records = list(islice(records, number))
        if len(records) == number and (total := count_jobs(ledger, job_filter)) > number:
            render.notice(f"the newest {number} of {total:,} jobs; --all shows the rest")
    render.table(COLUMNS, records, as_json=as_json, file_format=file_format)


def stored_records(ledger: Ledger, job_filter: JobFilter) -> Iterator[dict[str, Any]]:
    """Yield the members of the selected group that need no job; they are done."""
    if job_filter.group and job_filter.state in (None, JobState.DONE) and job_filter.reason is None:
        for member in ledger.groups.stored_members(job_filter.group):
            yield member_record(member, job_filter.group)


def count_jobs(ledger: Ledger, job_filter: JobFilter) -> int:
    """Return the number of the selected jobs, and of members of the selected group that need none."""
    return sum(
        n
        for (state, reason), n in ledger.counts.by_state(job_filter.group).items()
        if job_filter.state in (None, state) and (job_filter.reason or reason) == reason
    )


def print_summary(settings: Settings, ledger: Ledger, *, as_json: bool = False) -> None:
    """Print the state of the daemon, the number of jobs in each state, and the running jobs."""
    found = read_status(settings, ledger)
    daemon = found.daemon
    counts = ledger.counts.by_state()
    by_state = {state: sum(n for (s, _), n in counts.items() if s is state) for state in JobState}
    reasons = {
        f"{state} {reason}": n
        for (state, reason), n in sorted(counts.items())
        if reason and state in (JobState.FAILED, JobState.UNAVAILABLE, JobState.WAITING)
    }
    running = [job_record(job) for job in ledger.jobs.matching(JobFilter(state=JobState.RUNNING), RUNNING_SHOWN)]
    paused = ledger.controls.paused
    if as_json:
        render.document(
            {
                "daemon": vars(daemon) if daemon else None,
                "state": found.state,
                "problems": found.problems,
                "held": found.blocked_by,
                "paused": paused,
                "signatures": ledger.catalog.count(),
                "jobs": by_state,
                "reasons": reasons,
                "running": running,
            }
        )
        return
    numbers = {}
    for state, n in by_state.items():
        if n:
            numbers[str(state)] = n
            numbers.update({f"  {key}": count for key, count in reasons.items() if key.startswith(f"{state} ")})
    render.facts(
        {
            "daemon": daemon_summary(daemon, found.state),
            **{f"  problem {n}": sentence for n, sentence in enumerate(found.problems, 1)},
            **({"  held": found.blocked_by} if found.blocked_by else {}),
            "signatures": f"{ledger.catalog.count():,}",
            **{key: f"{n:,}" for key, n in numbers.items()},
        }
    )
    if daemon is not None:
        notice_differences(settings)
    if running:
        render.table(("job", "name", "state", "progress", "attempt"), running)
    if not any(by_state.values()) and render.is_terminal():
        render.notice("there are no jobs yet; start with `wort compute SRR139146`")
    elif daemon is None and by_state[JobState.QUEUED]:
        render.notice("jobs are queued, but no daemon is running: `wort daemon start`")


def daemon_summary(daemon: DaemonInfo | None, state: str) -> str:
    """Return the state of the daemon, with its process and start time if it runs."""
    if daemon is None:
        return state
    where = f" {daemon.where}" if daemon.where else ""
    return f"{state} (process {daemon.pid}{where}, since {render.local_time(daemon.started_at)})"
