"""One attempt at a job, from its source to a published signature: the stages in their order, and nothing else.

What an earlier attempt sealed is only published; what stands in the bucket already is not computed at all.  A job that
verifies goes through the same stages and compares before it publishes (verify.py).

A signature is published only if every stage succeeded, the spots read are as many as the archive counts, and what was
sealed reads back as what was sketched.  Whatever else happens becomes a Failure with a stored reason.
"""

import traceback

from wort_cli.model.failure import JobFailed
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.archives.locate import note_rate_limit
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.check import failure_of
from wort_cli.pipeline.job_log import job_log
from wort_cli.pipeline.job_spec import JobSpec, Watcher
from wort_cli.pipeline.toolkit.processes import Processes
from wort_cli.pipeline.verification.verify import verify
from wort_cli.pipeline.workspace import Workspace
from wort_cli.stores.object_store import StoreError
from wort_cli.system.cancellation import Cancelled
from wort_cli.system.process_identity import own_identity

TOOLS = ("fastq-dump", "sra-stat", "vdb-validate")


def run_job(spec: JobSpec, watcher: Watcher) -> JobResult:
    """Do the work.  Every way it can end is a result, but for Cancelled, which passes: then nobody wants one.

    Finished slices are left for another attempt if there may be one; who decides that there is none removes them.
    """
    workspace = Workspace(spec.workspace, spec.attempt)
    try:
        with job_log(spec) as log:
            try:
                workspace.make()
                processes = Processes(spec.owner, own_identity())
                processes.write(workspace.own)
                attempt = Attempt(spec, watcher, workspace, log, processes)
                if spec.subject is None:
                    return JobResult(spec.job_id, spec.attempt, published=attempt.run())
                verdict, published = verify(attempt, spec.subject)
                return JobResult(spec.job_id, spec.attempt, published=published, verdict=verdict)
            except Cancelled:
                log("called off")
                raise
            except Exception as error:
                failure = failure_of(error)
                if not isinstance(error, JobFailed | StoreError | OSError):  # our own mistake: say where
                    log(traceback.format_exc())
                log(f"{failure.reason}: {failure.detail}")
                note_rate_limit(spec, failure.reason)
                return JobResult(spec.job_id, spec.attempt, failure=failure)
    except OSError as error:  # the log itself can't be written
        return JobResult(spec.job_id, spec.attempt, failure=failure_of(error))
    finally:
        workspace.leave()
