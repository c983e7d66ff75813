"""A group, and all groups: how far each is, at which rate, why signatures are missing, and what can be done."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from wort_cli.errors import UsageError, shown
from wort_cli.ledger.groups import GroupAmounts
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.web.pages.change_page import CHANGES
from wort_cli.web.pages.daemon_view import StateCount, state_counts
from wort_cli.web.pages.job_view import JobView
from wort_cli.web.pages.lists_of_jobs import ROWS, running_jobs

RECENT = 3600.0
"""Seconds over which the rate of a group is measured."""
LEAST = 3
"""Jobs that must have ended within them."""
EXAMPLES = 5
"""Names of each row of the table of failures."""


@dataclass(frozen=True)
class Pace:
    """The rate at which the jobs of a group end."""

    ended: int
    """Jobs that have ended within the last hour, of those that ended last."""
    per_hour: float | None
    """None while too few have ended."""
    seconds_left: float | None
    """Seconds until the last job ends, at this rate."""


@dataclass(frozen=True)
class MissingFor:
    """The members that have no signature for one reason."""

    state: str
    reason: str
    jobs: int
    sentence: str
    hint: str
    may_be_retried: bool
    examples: tuple[str, ...]


@dataclass(frozen=True)
class GroupPage:
    """A group: the signatures that were requested together."""

    group: str
    members: int
    is_paused: bool
    counts: tuple[StateCount, ...]
    pace: Pace
    amounts: GroupAmounts
    missing: tuple[MissingFor, ...]
    running: tuple[JobView, ...]
    jobs: tuple[JobView, ...]

    @property
    def done(self) -> int:
        """The number of members that have their signature."""
        return self.in_state(JobState.DONE)

    @property
    def may_be_retried(self) -> int:
        """The number of members whose job can be queued again."""
        return sum(each.jobs for each in self.counts if JobState(each.state) in CHANGES["retry"].states)

    @property
    def live(self) -> int:
        """The number of members whose job has not ended."""
        return sum(each.jobs for each in self.counts if JobState(each.state).is_live)

    @property
    def is_live(self) -> bool:
        """Whether the page will soon show something else."""
        return self.live > 0

    def in_state(self, state: JobState) -> int:
        """Return the number of members in a state."""
        return next(each.jobs for each in self.counts if each.state == state)

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return {**asdict(self), "done": self.done, "live": self.live}


@dataclass(frozen=True)
class GroupsPage:
    """All groups."""

    groups: tuple[GroupPage, ...]

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return {"groups": [{"group": one.group, "members": one.members, "done": one.done} for one in self.groups]}


def group_page(ledger: Ledger, group: str, now: float = 0.0) -> GroupPage:
    """Return the page of a group.  Raises UsageError if there is none of this name."""
    counts = state_counts(ledger.counts.by_state(group))
    members = sum(each.jobs for each in counts)
    if not members:
        raise UsageError(f"there is no group {shown(group)}", "the page of the groups lists them")
    live = sum(each.jobs for each in counts if JobState(each.state).is_live)
    newest = ledger.job_pages.page(JobFilter(group=group), ROWS)
    return GroupPage(
        group=group,
        members=members,
        is_paused=group in ledger.controls.paused_groups(),
        counts=counts,
        pace=pace_of(*ledger.groups.ended_since(group, (now or time.time()) - RECENT), live, now or time.time()),
        amounts=ledger.groups.amounts(group),
        missing=missing_for(ledger, group, counts),
        running=running_jobs(ledger, JobFilter(JobState.RUNNING, group=group)),
        jobs=tuple(JobView.of(job) for job in newest),
    )


def pace_of(ended: int, first: float | None, live: int, now: float) -> Pace:
    """Return the rate at which jobs have ended since the first of them, and what is left at that rate."""
    if ended < LEAST or first is None or now <= first:
        return Pace(ended, None, None)
    per_second = (ended - 1) / (now - first)
    return Pace(ended, round(per_second * 3600, 1), round(live / per_second, 1) if live else None)


def missing_for(ledger: Ledger, group: str, counts: tuple[StateCount, ...]) -> tuple[MissingFor, ...]:
    """Return why members have no signature, the most frequent reason first, with some of their names."""
    found = []
    for each in counts:
        state = JobState(each.state)
        if state is JobState.DONE:
            continue
        for name, jobs in each.reasons:
            reason = Reason(name)
            some = ledger.job_pages.page(JobFilter(state, reason, group), EXAMPLES)
            found.append(
                MissingFor(
                    state=str(state),
                    reason=name,
                    jobs=jobs,
                    sentence=reason.sentence,
                    hint=reason.hint,
                    may_be_retried=state in CHANGES["retry"].states,
                    examples=tuple(str(job.name) for job in some),
                )
            )
    return tuple(sorted(found, key=lambda one: (-one.jobs, one.state, one.reason)))


def groups_page(ledger: Ledger) -> GroupsPage:
    """Return the page of all groups."""
    paused = set(ledger.controls.paused_groups())
    nothing = (Pace(0, None, None), GroupAmounts(), (), (), ())
    return GroupsPage(
        tuple(
            GroupPage(group, members, group in paused, state_counts(ledger.counts.by_state(group)), *nothing)
            for group, members in ledger.groups.sizes().items()
        )
    )
