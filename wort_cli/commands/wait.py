"""`wort wait`: follow jobs until they have ended."""

from typing import Annotated

import typer

from wort_cli.commands.shared import outcome, render
from wort_cli.commands.shared.context import GroupOption, JobsArgument, JsonOption, begin, job_ids_of
from wort_cli.commands.shared.follow import as_record, follow
from wort_cli.errors import DaemonNotRunning, UsageError
from wort_cli.ledger.jobs import JobFilter
from wort_cli.model.job import LIVE
from wort_cli.system.daemon_lock import running_daemon


def wait(
    jobs: JobsArgument = None,
    group: GroupOption = "",
    everything: Annotated[bool, typer.Option("--all", help="All jobs that have not ended.")] = False,
    timeout: Annotated[
        float | None, typer.Option("--timeout", metavar="S", min=0, help="Give up after S seconds.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Wait until jobs have ended; the exit code tells how."""
    settings, ledger = begin()
    if sum(map(bool, (jobs, group, everything))) != 1:
        raise UsageError("which jobs?", "give their numbers or names, a group (-g), or --all")
    if jobs:
        job_ids = job_ids_of(ledger, jobs)
    elif group:
        job_ids = ledger.jobs.ids(JobFilter(group=group))
    else:
        job_ids = [job_id for state in sorted(LIVE) for job_id in ledger.jobs.ids(JobFilter(state=state))]
    live = any(job.state.is_live for job in ledger.jobs.with_ids(job_ids))
    if live and running_daemon(settings.lock_file) is None:
        raise DaemonNotRunning
    ended = follow(ledger, job_ids, timeout)
    render.table(("name", "state", "job", "reason"), [as_record(job) for job in ended], as_json=as_json)
    outcome.explain(ended)
    outcome.end_with(ended)
