"""Turns the final states of jobs into one exit code, and explains the jobs that did not succeed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import typer

from wort_cli.commands.shared.showing import render
from wort_cli.errors import ExitCode
from wort_cli.model.accession import Name
from wort_cli.model.failure import Reason
from wort_cli.model.job import LIVE, Job, JobState
from wort_cli.model.provenance import Trust

RETRIES = "wort retries automatically"
"""The words by which hints say that a job is retried."""
RETRY = "`wort retry`"
"""The words by which hints say that a person retries it."""


class Ended(Protocol):
    """A job, or the line of a report."""

    @property
    def name(self) -> Name: ...
    @property
    def state(self) -> JobState: ...
    @property
    def reason(self) -> Reason | None: ...
    @property
    def message(self) -> str | None: ...
    @property
    def wait_until(self) -> float | None: ...


def exit_code(states: Iterable[JobState], *, strict: bool = False) -> ExitCode:
    """Return 1 if some failed or were cancelled, 75 if some are unfinished, 3 if all are unavailable, else 0.

    `strict`: 3 also if only some are unavailable.  Without it, one run of ten thousand that does not exist is no error.
    """
    found = set(states)
    if JobState.FAILED in found:
        return ExitCode.SOME_FAILED
    if found & LIVE:
        return ExitCode.TEMPORARY
    if JobState.CANCELLED in found:
        return ExitCode.SOME_FAILED
    absent = JobState.UNAVAILABLE in found and (strict or found == {JobState.UNAVAILABLE})
    return ExitCode.UNAVAILABLE if absent else ExitCode.OK


def with_skipped(code: ExitCode, skipped: Sequence[str]) -> ExitCode:
    """Return the exit code of a command that left some of its arguments out."""
    return ExitCode.SOME_FAILED if skipped and code in (ExitCode.OK, ExitCode.UNAVAILABLE) else code


def explain_skipped(skipped: Sequence[str]) -> None:
    """Write to stderr what was left out, and why."""
    for sentence in skipped:
        render.notice(sentence)


def exit_for_jobs(jobs: Sequence[Job], others: Iterable[JobState] = (), *, strict: bool = False) -> None:
    """Exit with the code for the states of jobs, and of runs without a job; a mismatch takes precedence."""
    mismatch = any(job.verdict is Trust.MISMATCH for job in jobs)
    states = {*(job.state for job in jobs), *others}
    exit_unless_ok(ExitCode.MISMATCH if mismatch else exit_code(states, strict=strict))


def exit_unless_ok(code: ExitCode) -> None:
    """Exit with a code other than 0; return if it is 0."""
    if code is not ExitCode.OK:
        raise typer.Exit(int(code))


def explain_unsuccessful(
    jobs: Sequence[Ended], most: int = 20, *, daemon_runs: bool = True, in_task: bool = False
) -> None:
    """Write to stderr why each job that is not done did not succeed, and count them, failures and absences apart."""
    explain_each(jobs, most, daemon_runs=daemon_runs, in_task=in_task)
    counts = Counter(job.state for job in jobs)
    if len(jobs) > 1 and set(counts) != {JobState.DONE}:
        render.notice(f"of {render.count(len(jobs), 'run' if in_task else 'job')}: {counted(counts)}")


def counted(counts: Mapping[JobState, int]) -> str:
    """Return how many have each state, the best first."""
    return ", ".join(f"{counts[state]:,} {state}" for state in (JobState.DONE, *WORST) if counts.get(state))


def explain_each(jobs: Sequence[Ended], most: int = 20, *, daemon_runs: bool = True, in_task: bool = False) -> None:
    """Write to stderr why each job that is not done did not succeed, and what to do about it; failures first.

    A hint follows the last one of the jobs that have it.
    `daemon_runs`: whether a daemon runs, which retries the jobs that wait.
    `in_task`: whether they are those of a task of a batch system, which has a report.
    """
    unsuccessful = sorted(
        (job for job in jobs if job.state is not JobState.DONE),
        key=lambda job: (WORST.index(job.state), job.reason or ""),
    )
    shown = unsuccessful[:most]
    hints = [hint_in_task(job) if in_task else hint(job, daemon_runs=daemon_runs) for job in shown]
    for number, (job, advice) in enumerate(zip(shown, hints, strict=True), 1):
        said_later = hints[number : number + 1] == [advice]
        render.notice(f"{job.name}: {explanation(job)}" + (f"\n  {advice}" if advice and not said_later else ""))
    if len(unsuccessful) > most:
        state = unsuccessful[most].state
        where = "see the report" if in_task else f"`wort status --state {state}`"
        render.notice(f"and {len(unsuccessful) - most:,} more: {where}")


WORST = (
    JobState.FAILED,
    JobState.WAITING,
    JobState.QUEUED,
    JobState.RUNNING,
    JobState.CANCELLED,
    JobState.UNAVAILABLE,
)
"""The states of jobs without a signature, in the order in which they are explained."""


def explanation(job: Ended) -> str:
    """Return the state of a job and its reason."""
    if job.reason is None:
        return str(job.state)
    until = f" until {render.local_time(job.wait_until)}" if job.state is JobState.WAITING else ""
    detail = f" ({render.printable(job.message)})" if job.message else ""
    return f"{job.state}{until}, {job.reason}: {job.reason.sentence}{detail}"


def hint(job: Ended, *, daemon_runs: bool) -> str:
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


def hint_in_task(job: Ended) -> str:
    """Return the hint of a reason in a task, whose home and ledger end with it."""
    if job.reason is None:
        return ""
    parts = [part for part in job.reason.hint.split("; ") if RETRIES not in part]
    hint = "; ".join(parts).replace(f"use {RETRY}", "run the task again")
    hint = hint.replace(f"{RETRY} tries again", "another task tries again").replace(RETRY, "run the task again")
    if job.state is JobState.WAITING and len(parts) < len(job.reason.hint.split("; ")):
        return "; ".join(filter(None, (hint, "another try of the task computes it")))
    return hint
