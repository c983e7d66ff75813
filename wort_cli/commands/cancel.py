"""`wort cancel`: drop jobs; those that run are called off by whoever runs them."""

from typing import Annotated

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import GroupOption, JobsArgument, JsonOption, begin, chosen
from wort_cli.ledger.jobs import JobFilter
from wort_cli.model.job import JobState


def cancel(
    jobs: JobsArgument = None,
    group: GroupOption = "",
    everything: Annotated[bool, typer.Option("--all", help="All jobs that have not ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Cancel jobs that have not ended."""
    from wort_cli.pipeline.workspace import remove_workspace

    settings, ledger = begin()
    job_ids = chosen(ledger, jobs, JobFilter(group=group), everything=everything)
    idle = [job.id for job in ledger.jobs.with_ids(job_ids) if job.state in (JobState.QUEUED, JobState.WAITING)]
    number = ledger.jobs.cancel(job_ids)
    for job_id in idle:  # of the others, who runs them clears away what they leave
        remove_workspace(settings.workspace(job_id))
    if as_json:
        render.document({"cancelled": number})
    else:
        render.result(f"{render.count(number, 'job')} cancelled")
