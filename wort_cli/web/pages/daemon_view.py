"""The daemon and its queue in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from wort_cli.health.status import PAUSED, RUNNING, STOPPED, UNHEALTHY, Status
from wort_cli.model.job import JobState
from wort_cli.model.units import iso_time

SENTENCES = {
    STOPPED: "No daemon runs: queued jobs wait until it is started.",
    UNHEALTHY: "The daemon needs attention.",
    PAUSED: "The queue is paused: running jobs end, and no other starts.",
    RUNNING: "The daemon runs.",
}


@dataclass(frozen=True)
class StateCount:
    """The number of jobs in a state, and for which reasons."""

    state: str
    jobs: int
    reasons: tuple[tuple[str, int], ...]
    """Reasons with their numbers of jobs, the most frequent first."""


@dataclass(frozen=True)
class DaemonView:
    """The state of the daemon and of its queue."""

    state: str
    sentence: str
    problems: tuple[str, ...]
    blocked_by: str
    is_paused: bool
    """Whether a user has paused the whole queue, also while no daemon runs."""
    paused_groups: tuple[str, ...]
    jobs_at_a_time: int | None
    oldest_queued_at: str | None
    counts: tuple[StateCount, ...]

    @classmethod
    def of(cls, status: Status) -> "DaemonView":
        """Return a status as a page shows it."""
        queue = status.queue
        return cls(
            state=status.state,
            sentence=SENTENCES[status.state],
            problems=status.problems,
            blocked_by=status.blocked_by,
            is_paused=queue.paused if queue else False,
            paused_groups=queue.paused_groups if queue else (),
            jobs_at_a_time=queue.jobs if queue else None,
            oldest_queued_at=iso_time(queue.oldest_queued_at) if queue else None,
            counts=state_counts(queue.counts if queue else {}),
        )

    @property
    def live(self) -> int:
        """The number of jobs that have not ended."""
        return sum(each.jobs for each in self.counts if JobState(each.state).is_live)


def state_counts(counts: Mapping[tuple[JobState, str], int]) -> tuple[StateCount, ...]:
    """Return the number of jobs in every state, from the numbers for each state and reason."""
    found: list[StateCount] = []
    for state in JobState:
        reasons = {reason: n for (each, reason), n in counts.items() if each is state}
        named = sorted(((reason, n) for reason, n in reasons.items() if reason), key=lambda item: (-item[1], item[0]))
        found.append(StateCount(str(state), sum(reasons.values()), tuple(named)))
    return tuple(found)
