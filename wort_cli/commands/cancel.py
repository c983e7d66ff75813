"""`wort cancel`: cancels jobs; the process that runs a job stops its attempt."""

from wort_cli.api.job_changes import cancel_jobs
from wort_cli.commands.shared.arguments.options import JobsArgument, JsonOption, SelectAllOption, SelectGroupOption
from wort_cli.commands.shared.arguments.selection import open_home, select_job_ids
from wort_cli.commands.shared.jobs.unchanged import why_not_cancelled
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, Document, Field
from wort_cli.commands.shared.showing.printing import print_document
from wort_cli.ledger.jobs import JobFilter

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
    settings, ledger = open_home()
    job_ids = select_job_ids(ledger, jobs, JobFilter(group=group), everything=everything)
    changed = cancel_jobs(ledger, settings, job_ids)
    if jobs or group or not changed.before:  # --all selects what can be cancelled
        for sentence in why_not_cancelled(changed.before):
            render.notice(sentence)
    if as_json:
        print_document(DOCUMENT, {"cancelled": changed.number})
    else:
        render.result(f"{render.count(changed.number, 'job')} cancelled")
