"""Turns the final states of jobs into one exit code, and explains the jobs that did not succeed."""

from collections.abc import Iterable, Sequence

import typer

from wort_cli.commands.shared import render
from wort_cli.errors import ExitCode
from wort_cli.model.job import Job, JobState
from wort_cli.model.provenance import Trust

RETRIES = "wort retries automatically"
"""How hints say that a job is retried."""


def exit_code(states: Iterable[JobState]) -> ExitCode:
    """Return 0 if all are done, 3 if all are unavailable, 75 if some are unfinished and none failed, else 1."""
    found = set(states)
    if found <= {JobState.DONE}:
        return ExitCode.OK
    if found == {JobState.UNAVAILABLE}:
        return ExitCode.UNAVAILABLE
    if found & {JobState.WAITING, JobState.QUEUED, JobState.RUNNING} and JobState.FAILED not in found:
        return ExitCode.TEMPORARY
    return ExitCode.SOME_FAILED


def with_skipped(code: ExitCode, skipped: Sequence[str]) -> ExitCode:
    """Return the exit code of a command that left some of its arguments out."""
    return ExitCode.SOME_FAILED if skipped and code in (ExitCode.OK, ExitCode.UNAVAILABLE) else code


def explain_skipped(skipped: Sequence[str]) -> None:
    """Write to stderr what was left out, and why."""
    for sentence in skipped:
        render.notice(sentence)


def exit_for_jobs(jobs: Sequence[Job]) -> None:
    """Exit with the code for the states of jobs; a mismatch found by a verification takes precedence."""
    mismatch = any(job.verdict is Trust.MISMATCH for job in jobs)
    exit_unless_ok(ExitCode.MISMATCH if mismatch else exit_code(job.state for job in jobs))


def exit_unless_ok(code: ExitCode) -> None:
    """Exit with a code other than 0; return if it is 0."""
    if code is not ExitCode.OK:
        raise typer.Exit(int(code))


def explain_unsuccessful(jobs: Sequence[Job], most: int = 20, *, daemon_runs: bool = True) -> None:
    """Write to stderr why each job that is not done did not succeed, and what to do about it.

    `daemon_runs`: whether a daemon runs, which retries the jobs that wait.
    """
    unsuccessful = [job for job in jobs if job.state is not JobState.DONE]
    for job in unsuccessful[:most]:
        render.notice(f"{job.name}: {explanation(job, daemon_runs=daemon_runs)}")
    if len(unsuccessful) > most:
        render.notice(f"and {len(unsuccessful) - most:,} more: `wort status --state failed`")


def explanation(job: Job, *, daemon_runs: bool = True) -> str:
    """Return the state of a job, its reason, and what to do about it."""
    if job.reason is None:
        return str(job.state)
    until = f" until {render.local_time(job.wait_until)}" if job.state is JobState.WAITING else ""
    detail = f" ({render.printable(job.message)})" if job.message else ""
    return f"{job.state}{until}, {job.reason}: {job.reason.sentence}{detail}\n  {hint(job, daemon_runs=daemon_runs)}"


def hint(job: Job, *, daemon_runs: bool) -> str:
    """Return the hint of a job's reason; it promises a retry only if one will follow."""
    if job.reason is None:
        return ""
    if job.state is JobState.WAITING and daemon_runs:
        return job.reason.hint
    others = [part for part in job.reason.hint.split("; ") if RETRIES not in part]
    if len(others) == len(job.reason.hint.split("; ")):
        return job.reason.hint
    waits = job.state is JobState.WAITING
    others.append("`wort daemon start` starts the daemon, which retries it" if waits else "`wort retry` tries again")
    return "; ".join(others)
