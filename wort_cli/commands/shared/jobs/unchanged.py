"""Why `wort retry` and `wort cancel` left some of the selected jobs as they are: one sentence for each cause."""

from collections.abc import Collection, Iterator, Mapping

from wort_cli.commands.shared.showing import render
from wort_cli.model.job import LIVE, JobState

ENDED = frozenset(JobState) - LIVE
RETRIED = (JobState.FAILED, JobState.UNAVAILABLE, JobState.CANCELLED, JobState.WAITING)
"""The states in which `wort retry` queues a job again."""


def why_not_retried(states: Mapping[JobState, int], queued: int) -> Iterator[str]:
    """Yield why selected jobs were not queued again.

    states: how many of the selected jobs were in each state before
    queued: how many were queued again
    """
    if not states:
        yield "no job matches"
    if done := states.get(JobState.DONE, 0):
        yield f"not queued again: {render.count(done, 'job')} done; `wort compute --force` computes a signature again"
    if active := sum(states.get(state, 0) for state in (JobState.QUEUED, JobState.RUNNING)):
        yield f"not queued again: {render.count(active, 'job')} {words(states, (JobState.QUEUED, JobState.RUNNING))}"
    older = sum(states.get(state, 0) for state in RETRIED) - queued
    if older > 0:
        yield f"not queued again: {render.count(older, 'job')} with a newer job of the same signature"


def why_not_cancelled(states: Mapping[JobState, int]) -> Iterator[str]:
    """Yield why selected jobs were not cancelled: they had ended.  `states` is that of `why_not_retried`."""
    if not states:
        yield "no job matches"
    if ended := sum(states.get(state, 0) for state in ENDED):
        yield f"not cancelled: {render.count(ended, 'job')} {words(states, ENDED)}"


def words(states: Mapping[JobState, int], wanted: Collection[JobState]) -> str:
    """Return the states of these that occur: the state alone, or each with its number."""
    found = [state for state in JobState if state in wanted and states.get(state, 0)]
    return str(found[0]) if len(found) == 1 else f"({', '.join(f'{states[state]:,} {state}' for state in found)})"
