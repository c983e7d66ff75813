"""How the ends of several jobs become one exit code and what is said of them."""

from collections.abc import Iterable, Sequence

import typer

from wort_cli.commands.shared import render
from wort_cli.errors import ExitCode
from wort_cli.model.job import Job, JobState
from wort_cli.model.provenance import Trust


def exit_code(states: Iterable[JobState]) -> ExitCode:
    """0 all done; 3 all unavailable; 75 some are to be tried later and none failed; else 1."""
    found = set(states)
    if found <= {JobState.DONE}:
        return ExitCode.OK
    if found == {JobState.UNAVAILABLE}:
        return ExitCode.UNAVAILABLE
    if found & {JobState.WAITING, JobState.QUEUED, JobState.RUNNING} and JobState.FAILED not in found:
        return ExitCode.TEMPORARY
    return ExitCode.SOME_FAILED


def end_with(jobs: Sequence[Job]) -> None:
    """Exit by the outcome of jobs; a signature that was refuted comes before all else."""
    refuted = any(job.verdict is Trust.MISMATCH for job in jobs)
    leave(ExitCode.MISMATCH if refuted else exit_code(job.state for job in jobs))


def leave(code: ExitCode) -> None:
    """End the command, unless all is well."""
    if code is not ExitCode.OK:
        raise typer.Exit(int(code))


def explain(jobs: Sequence[Job], most: int = 20) -> None:
    """Say of each job that did not end well why, and what to do."""
    unhappy = [job for job in jobs if job.state is not JobState.DONE]
    for job in unhappy[:most]:
        render.say(f"{job.name}: {explanation(job)}")
    if len(unhappy) > most:
        render.say(f"and {len(unhappy) - most:,} more: `wort status --state failed`")


def explanation(job: Job) -> str:
    """Why a job is where it is, with the hint of its reason."""
    if job.reason is None:
        return str(job.state)
    until = f" until {render.when(job.wait_until)}" if job.state is JobState.WAITING else ""
    detail = f" ({render.printable(job.message)})" if job.message else ""
    return f"{job.state}{until}, {job.reason}: {job.reason.sentence}{detail}\n  {job.reason.hint}"
