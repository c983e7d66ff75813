"""`wort status`, and bare `wort`: what there is, what runs, what went wrong."""

import sys
import time
from typing import Annotated

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import GroupOption, JsonOption, begin, job_ids_of, reason_named, state_named
from wort_cli.commands.shared.follow import as_record
from wort_cli.errors import UsageError
from wort_cli.health.status import read_status
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import DaemonInfo

COLUMNS = (
    "job",
    "name",
    "state",
    "reason",
    "progress",
    "group",
    "priority",
    "attempt",
    "queued",
    "ended",
    "message",
    "kind",
)
RUNNING_SHOWN = 20
CLEAR = "\x1b[H\x1b[2J"
"""What empties a terminal (ECMA-48)."""


def status(
    what: Annotated[list[str] | None, typer.Argument(metavar="ID|JOB", help="Names of signatures, or jobs.")] = None,
    group: GroupOption = "",
    state: Annotated[str, typer.Option("--state", metavar="S", help="The jobs in this state.")] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="R", help="The jobs of this reason.")] = "",
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="At most N jobs, the newest first.")] = 50,
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every second, until Ctrl-C.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, with a header.")] = False,
    as_tsv: Annotated[bool, typer.Option("--tsv", help="Tab-separated, with a header.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the queue and its jobs."""
    if as_csv + as_tsv + as_json > 1:
        raise UsageError("--csv, --tsv and --json exclude each other")
    settings, ledger = begin()
    which = JobFilter(state_named(state), reason_named(reason), group)
    form = "csv" if as_csv else "tsv" if as_tsv else ""
    while True:
        if watch and render.to_terminal():
            sys.stdout.write(CLEAR)
        if what or which != JobFilter() or form:
            show_jobs(ledger, what or [], which, number, form=form, as_json=as_json)
        else:
            show_summary(settings, ledger, as_json=as_json)
        if not watch:
            return
        sys.stdout.flush()
        time.sleep(1)


def show_jobs(
    ledger: Ledger, words: list[str], which: JobFilter, number: int, *, form: str = "", as_json: bool = False
) -> None:
    """A row a job."""
    if words and which != JobFilter():
        raise UsageError("name jobs, or choose them by an option, not both")
    if words:
        jobs = sorted(ledger.jobs.with_ids(job_ids_of(ledger, words)), key=lambda job: job.id)
    else:
        jobs = ledger.jobs.matching(which, number)
    render.table(COLUMNS, [as_record(job) for job in jobs], as_json=as_json, form=form)


def show_summary(settings: Settings, ledger: Ledger, *, as_json: bool = False) -> None:
    """How many jobs are in each state, what runs, and whether the daemon does."""
    found = read_status(settings, ledger)
    daemon = found.daemon
    counts = ledger.counts.by_state()
    by_state = {state: sum(n for (s, _), n in counts.items() if s is state) for state in JobState}
    troubles = {
        f"{state} {reason}": n
        for (state, reason), n in sorted(counts.items())
        if reason and state in (JobState.FAILED, JobState.UNAVAILABLE, JobState.WAITING)
    }
    running = [as_record(job) for job in ledger.jobs.matching(JobFilter(state=JobState.RUNNING), RUNNING_SHOWN)]
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
                "reasons": troubles,
                "running": running,
            }
        )
        return
    numbers = {
        **{str(state): n for state, n in by_state.items() if n},
        **{f"  {key}": n for key, n in troubles.items()},
    }
    render.facts(
        {
            "daemon": daemon_line(daemon, found.state),
            **{f"  problem {n}": sentence for n, sentence in enumerate(found.problems, 1)},
            **({"  held": found.blocked_by} if found.blocked_by else {}),
            "signatures": f"{ledger.catalog.count():,}",
            **{key: f"{n:,}" for key, n in numbers.items()},
        }
    )
    if running:
        render.table(("job", "name", "state", "progress", "attempt"), running)
    if not any(by_state.values()) and render.to_terminal():
        render.say("nothing has been asked for yet; begin with `wort compute SRR139146`")
    elif daemon is None and by_state[JobState.QUEUED]:
        render.say("jobs are queued, but no daemon is running: `wort daemon start`")


def daemon_line(daemon: DaemonInfo | None, state: str) -> str:
    """The daemon in a few words."""
    if daemon is None:
        return state
    return f"{state} (process {daemon.pid}, since {render.when(daemon.started_at)})"
