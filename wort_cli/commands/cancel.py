"""`wort cancel`: cancels jobs; the process that runs a job stops its attempt."""

from wort_cli.commands.shared.arguments.options import JobsArgument, JsonOption, SelectAllOption, SelectGroupOption
from wort_cli.commands.shared.arguments.selection import open_home, select_job_ids
from wort_cli.commands.shared.jobs.unchanged import why_not_cancelled
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, Document, Field
from wort_cli.commands.shared.showing.printing import print_document
from wort_cli.ledger.jobs import JobFilter
from wort_cli.model.job import JobState

DOCUMENT = Document(
    "cancel", "How many jobs were cancelled.", head=(Field("cancelled", COUNT, "The number of cancelled jobs"),)
)


def cancel(
    jobs: JobsArgument = None,
    group: SelectGroupOption = "",
    everything: SelectAllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Cancel jobs that have not ended.

    Running attempts are stopped. Cancelled jobs can be queued again with `wort retry` or `wort compute`.
    """
    from wort_cli.upkeep.ended_workspace import remove_ended_workspace

    settings, ledger = open_home()
    job_ids = select_job_ids(ledger, jobs, JobFilter(group=group), everything=everything)
    states = ledger.jobs.states_among(job_ids)
    idle = [job.id for job in ledger.jobs.with_ids(job_ids) if job.state in (JobState.QUEUED, JobState.WAITING)]
    number = ledger.jobs.cancel(job_ids)
    if jobs or group or not states:  # --all selects what can be cancelled
        for sentence in why_not_cancelled(states):
            render.notice(sentence)
    for job_id in idle:  # the process that runs a job removes that job's workspace
        remove_ended_workspace(job_id, ledger, settings)
    if as_json:
        print_document(DOCUMENT, {"cancelled": number})
    else:
        render.result(f"{render.count(number, 'job')} cancelled")
