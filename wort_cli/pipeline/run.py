"""Runs one attempt at a job and returns its result.

A job that computes a signature goes through `compute`:

1. publish the signature that an earlier attempt sealed, if there is one;
2. return the signature that is in the bucket, if there is one, or the public one, if the job accepts it;
3. sketch the run (`stages.sketch_run`): locate the archive, reserve disk and memory, prove, decode, sketch;
   or sketch files of reads (`reads/sketch_files.py`) or an assembly (`assemblies/sketch.py`);
4. seal the sketches and publish the signature (`sealing.seal_and_publish`).

A job that verifies a signature goes through `verification.verify`, which uses the same stages 3 and 4.

A signature is published only if every stage succeeded, all spots that the archive counts were read, and the sealed
file reads back as the sketches that were written.  Everything else becomes a Failure with a stored reason.
"""

import contextlib
import shutil
import traceback
from collections.abc import Callable
from pathlib import Path

from wort_cli.errors import Terminated
from wort_cli.model.failure import JobFailed
from wort_cli.model.job_result import JobResult, Published
from wort_cli.pipeline.archives.locate import pause_if_rate_limited
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.bucket import find_published, may_be_public, take_public
from wort_cli.pipeline.check import failure_from_exception
from wort_cli.pipeline.download import put_away
from wort_cli.pipeline.job_log import job_log
from wort_cli.pipeline.job_spec import JobSpec, Watcher
from wort_cli.pipeline.publish import is_sealed_content
from wort_cli.pipeline.sealing import publish_sealed, seal_and_publish
from wort_cli.pipeline.stages import archive_of, sketch_run
from wort_cli.pipeline.toolkit.processes import Processes
from wort_cli.pipeline.workspace import Workspace, count_finished_parts
from wort_cli.stores.object_store import StoreError
from wort_cli.system.cancellation import Cancelled
from wort_cli.system.process_identity import own_identity
from wort_cli.system.seals import load_key


def run_job(spec: JobSpec, watcher: Watcher) -> JobResult:
    """Run an attempt at a job; return its result, which may be a failure.

    Raises Cancelled if the job was cancelled; nothing else is raised.  Finished slices are left for the next attempt;
    the caller removes the workspace of a job that has ended.
    """
    workspace = Workspace(spec.workspace, spec.attempt)
    try:
        load_keys(workspace, spec)
        with job_log(spec) as log:
            return run_logged(spec, watcher, workspace, log)
    except OSError as error:  # the log or the key cannot be written
        return JobResult(spec.job_id, spec.attempt, failure=failure_from_exception(error))
    finally:
        workspace.remove_attempt()


def load_keys(workspace: Workspace, spec: JobSpec) -> None:
    """Load the keys that seal what a workspace keeps.  Raises OSError."""
    workspace.key = workspace.parts_key = load_key(spec.key_file) if spec.key_file else b""
    if spec.keeping.keep_slices and spec.keeping.keep_slices_key:
        workspace.parts_key = load_key(Path(spec.keeping.keep_slices_key))


def run_logged(spec: JobSpec, watcher: Watcher, workspace: Workspace, log: Callable[[str], None]) -> JobResult:
    """Compute or verify; turn every error except Cancelled into a failure, and log it."""
    try:
        workspace.create()
        processes = Processes(spec.owner, own_identity())
        processes.write(workspace.attempt_directory, workspace.key)
        with Attempt(spec, watcher, workspace, log, processes) as attempt:
            result = compute_or_verify(attempt)
            put_away(attempt)
        return result
    except Cancelled:
        log("cancelled")
        raise
    except Terminated:
        if spec.keeping.keep_slices:
            from wort_cli.pipeline.unfinished import leave_unfinished

            leave_unfinished(spec, workspace, log, spec.keeping.keep_slices_seconds)
        raise
    except Exception as error:
        failure = failure_from_exception(error)
        if not isinstance(error, JobFailed | StoreError | OSError):  # a bug of wort: log where it is
            log(traceback.format_exc())
        log(f"{failure.reason}: {failure.detail}")
        pause_if_rate_limited(spec, failure.reason)
        return JobResult(spec.job_id, spec.attempt, failure=failure, work=count_finished_parts(spec.workspace))


def fetch_ahead(spec: JobSpec, watcher: Watcher) -> None:
    """Fetch the archive of a job that is claimed but not run yet, so that its attempt finds it in the workspace.

    Nothing is raised: a failure is left to the attempt, which meets it again.
    """
    workspace = Workspace(spec.workspace, spec.attempt)
    with contextlib.suppress(OSError), job_log(spec) as log:
        try:
            load_keys(workspace, spec)
            workspace.create()
            processes = Processes(spec.owner, own_identity())
            processes.write(workspace.attempt_directory, workspace.key)
            with Attempt(spec, watcher, workspace, log, processes) as attempt, attempt.tools() as tools:
                if workspace.load_pending(spec) or find_published(spec, log, watcher.cancellation):
                    return
                if may_be_public(spec, watcher.cancellation):
                    return
                if spec.source.is_assembly:
                    from wort_cli.pipeline.assemblies.sketch import obtain_assembly

                    obtain_assembly(attempt)
                else:
                    archive_of(attempt, tools)
        except Cancelled:
            pass
        except Exception as error:
            log(f"not fetched ahead: {failure_from_exception(error).detail}")
        finally:
            shutil.rmtree(workspace.attempt_directory, ignore_errors=True)


def leave_fetched(spec: JobSpec, seconds: float) -> None:
    """Leave what was fetched ahead for the next task, if the settings say so; nothing is raised."""
    if not spec.keeping.keep_slices or seconds <= 0:
        return
    from wort_cli.pipeline.unfinished import leave_unfinished

    workspace = Workspace(spec.workspace, spec.attempt)
    with contextlib.suppress(OSError), job_log(spec) as log:
        load_keys(workspace, spec)
        leave_unfinished(spec, workspace, log, seconds)


def compute_or_verify(attempt: Attempt) -> JobResult:
    """Return the result of a job that succeeded."""
    spec = attempt.spec
    if spec.subject is None:
        return JobResult(spec.job_id, spec.attempt, published=compute(attempt))
    from wort_cli.pipeline.verification.verify import verify

    verdict, published = verify(attempt, spec.subject)
    return JobResult(spec.job_id, spec.attempt, published=published, verdict=verdict)


def compute(attempt: Attempt) -> Published:
    """Publish an already sealed signature, or return the one in the bucket, or a public one, or compute a new one."""
    provenance = attempt.workspace.load_pending(attempt.spec)
    if provenance is not None and is_sealed_content(attempt.workspace.pending, provenance, attempt.profile):
        return publish_sealed(attempt, attempt.workspace.pending, provenance)
    attempt.report("looking")
    found = find_published(attempt.spec, attempt.log, attempt.cancellation)
    found = found or take_public(attempt.spec, attempt.log, attempt.cancellation)
    if found is not None:
        return found
    if attempt.spec.source.reads is not None:
        from wort_cli.pipeline.reads.sketch_files import sketch_files

        return seal_and_publish(attempt, sketch_files(attempt))
    if attempt.spec.source.is_assembly:
        from wort_cli.pipeline.assemblies.sketch import sketch_assembly

        return seal_and_publish(attempt, sketch_assembly(attempt))
    with attempt.tools() as tools:
        run = sketch_run(attempt, tools)
    return seal_and_publish(attempt, run)
