"""`wort forget`: drops jobs that have ended from the ledger; signatures stay."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from wort_cli.api.job_changes import check_group
from wort_cli.commands.shared.arguments.durations import parse_duration
from wort_cli.commands.shared.arguments.options import (
    DryRunOption,
    JobsArgument,
    JsonOption,
    SelectGroupOption,
    SelectStateOption,
)
from wort_cli.commands.shared.arguments.selection import (
    NAMES_AND_OPTIONS,
    find_job_ids,
    open_home,
    parse_state,
)
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BOOLEAN, COUNT, PATH, Document, Field
from wort_cli.commands.shared.showing.printing import print_document
from wort_cli.errors import StorageProblem, UsageError
from wort_cli.ledger.jobs import JobFilter
from wort_cli.model.job import LIVE

if TYPE_CHECKING:
    from wort_cli.upkeep.forget import Forgotten

DOCUMENT = Document(
    "forget",
    "How many jobs were forgotten, and how many were kept.",
    head=(
        Field("dry_run", BOOLEAN, "Whether nothing was changed, so that the numbers are what would be done"),
        Field("forgotten", COUNT, "Jobs that were forgotten"),
        Field("absences", COUNT, "Forgotten ones that were the last record of why a run has no signature"),
        Field("verdicts", COUNT, "Forgotten ones that had the details of a verification"),
        Field("live", COUNT, "Jobs that were kept because they have not ended"),
        Field("unpublished", COUNT, "Jobs that were kept because their signature waits to be published"),
        Field("path", PATH, "The file to which the events of forgotten jobs are appended"),
    ),
)


def forget(
    jobs: JobsArgument = None,
    group: SelectGroupOption = "",
    state: SelectStateOption = "",
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="TIME", help="Only jobs that ended longer ago, such as 12h or 30d.")
    ] = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Forget jobs that have ended. Signatures stay, and so do jobs that have not ended.

    With only a group, its runs that have ended leave that group too.

    The events of forgotten jobs are appended to logs/forgotten.jsonl of the home.

    \b
    Examples:
      wort forget --state done --older-than 30d
      wort forget -g pilot --dry-run
    """
    from wort_cli.upkeep.forget import forget as forget_jobs

    settings, ledger = open_home()
    wanted = parse_state(state)
    if wanted in LIVE:
        raise UsageError(f"jobs that are {wanted} have not ended", "cancel them first: `wort cancel`")
    if jobs and (group or state):
        raise UsageError(NAMES_AND_OPTIONS)
    if not (jobs or group or state or older_than):
        raise UsageError("no jobs are named", "give job numbers or names, a group (-g), --state or --older-than")
    check_group(ledger, group)
    age = parse_duration(older_than, "--older-than") if older_than else 0
    job_ids = find_job_ids(ledger, jobs) if jobs else ledger.jobs.ids(JobFilter(state=wanted, group=group))
    try:
        done = forget_jobs(job_ids, time.time() - age, ledger, settings, dry_run=dry_run)
    except OSError as error:
        raise StorageProblem(f"{settings.forgotten_log}: {error.strerror}", "see `wort doctor`") from error
    if group and not (state or older_than or dry_run):
        ledger.groups.forget_stored(group)
    if as_json:
        print_document(DOCUMENT, {"dry_run": dry_run, **asdict(done), "path": str(settings.forgotten_log)})
        return
    would = "would be " if dry_run else ""
    render.result(f"{render.count(done.forgotten, 'job')} {would}forgotten")
    for sentence in sentences(done, would):
        render.notice(sentence)


def sentences(done: "Forgotten", would: str) -> list[str]:
    """Return what else a user should know: what went with the jobs, and which were kept."""
    found = []
    if done.absences:
        runs = render.count(done.absences, "run")
        found.append(f"why {runs} had no signature {would or 'is '}forgotten, too; `wort compute` tries them again")
    if done.verdicts:
        found.append(f"the details of {render.count(done.verdicts, 'verification')} {would or 'are '}forgotten, too")
    if done.live:
        found.append(f"{render.count(done.live, 'job')} kept, not ended yet; `wort cancel` cancels jobs")
    if done.unpublished:
        kept = render.count(done.unpublished, "job")
        found.append(f"{kept} kept with a signature that waits to be published; `wort retry` publishes it")
    return found
