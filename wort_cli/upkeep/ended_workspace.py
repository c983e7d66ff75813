"""Removes the workspace of a job that has ended, unless the job was queued again and may be running."""

import contextlib
import shutil
import time

from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Failure
from wort_cli.pipeline.workspace import may_be_published
from wort_cli.settings import Settings
from wort_cli.upkeep.leftovers import DOOMED, job_summary


def remove_ended_workspace(job_id: int, ledger: Ledger, settings: Settings, failure: Failure | None = None) -> None:
    """Remove the workspace of a job that has ended, unless a retry can still publish its sealed signature.

    The transaction's lock keeps other processes from claiming the job before the workspace has another name.
    """
    root = settings.workspace(job_id)
    if may_be_published(root, failure) or not root.exists():
        return
    doomed = root.with_name(f"{DOOMED}{job_id}-{time.time_ns()}")
    with ledger.storage.transaction():
        job = job_summary(ledger, job_id)
        if job is not None and job.state.is_live:
            return
        with contextlib.suppress(FileNotFoundError):
            root.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
