"""`wort retry`: queue jobs again that failed, are unavailable or were cancelled."""

from typing import Annotated

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import GroupOption, JobsArgument, JsonOption, begin, chosen, reason_named
from wort_cli.errors import UsageError
from wort_cli.ledger.jobs import JobFilter
from wort_cli.model.job import JobState
from wort_cli.system.daemon_lock import running_daemon


def retry(
    jobs: JobsArgument = None,
    failed: Annotated[bool, typer.Option("--failed", help="All jobs that failed.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="R", help="Those of this reason.")] = "",
    group: GroupOption = "",
    as_json: JsonOption = False,
) -> None:
    """Try jobs again that did not end well."""
    settings, ledger = begin()
    which = JobFilter(JobState.FAILED if failed else None, reason_named(reason), group)
    if jobs and which != JobFilter():
        raise UsageError("name jobs, or choose them by an option, not both")
    number = ledger.jobs.retry(chosen(ledger, jobs, which, everything=False))
    if as_json:
        render.document({"queued": number})
        return
    render.result(f"{render.count(number, 'job')} queued again")
    if number and running_daemon(settings.lock_file) is None:
        render.say("no daemon is running: `wort daemon start`")
