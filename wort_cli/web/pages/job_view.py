"""Jobs as pages show them; the keys are those of `wort status --json`."""

from collections.abc import Sequence
from dataclasses import dataclass

from wort_cli.model.job import Event, Job, JobKind, JobState, Progress
from wort_cli.model.units import format_bytes, format_duration, format_rate, format_share, iso_time
from wort_cli.web.pages.change_page import CHANGES
from wort_cli.web.pages.places import database_of


@dataclass(frozen=True)
class ProgressView:
    """The progress of a running job."""

    stage: str
    fraction: float | None
    """None while the amount of work is unknown."""
    sentence: str
    remaining: float | None
    """Seconds until the stage ends, at its rate so far."""

    @classmethod
    def of(cls, progress: Progress) -> "ProgressView":
        """Return a progress as a page shows it."""
        fraction = round(progress.fraction, 4) if progress.total else None
        left = progress.seconds_left
        return cls(progress.stage, fraction, sentence_of(progress), None if left is None else round(left, 1))


@dataclass(frozen=True)
class EventView:
    """A transition of a job."""

    at: str | None
    state: str
    reason: str | None
    message: str | None
    attempt: int


@dataclass(frozen=True)
class JobView:
    """A job.  Times are in ISO 8601."""

    job: int
    name: str
    database: str
    state: str
    reason: str | None
    sentence: str
    """The reason as a sentence; empty if there is none."""
    hint: str
    message: str | None
    progress: ProgressView | None
    kind: str
    profile: str
    groups: tuple[str, ...]
    priority: int
    attempt: int
    queued_at: str | None
    started_at: str | None
    ended_at: str | None
    wait_until: str | None
    events: tuple[EventView, ...] = ()

    @classmethod
    def of(cls, job: Job, events: Sequence[Event] = ()) -> "JobView":
        """Return a job as a page shows it."""
        running = job.progress if job.state is JobState.RUNNING else None
        return cls(
            job=job.id,
            name=str(job.name),
            database=database_of(str(job.name)),
            state=str(job.state),
            reason=str(job.reason) if job.reason else None,
            sentence=job.reason.sentence if job.reason else "",
            hint=job.reason.hint if job.reason else "",
            message=job.message or None,
            progress=ProgressView.of(running) if running else None,
            kind=str(job.kind),
            profile=job.profile,
            groups=job.groups,
            priority=job.priority,
            attempt=job.attempt,
            queued_at=iso_time(job.created_at),
            started_at=iso_time(job.started_at),
            ended_at=iso_time(job.ended_at),
            wait_until=iso_time(job.wait_until) if job.state is JobState.WAITING else None,
            events=tuple(event_view(event) for event in events),
        )

    @property
    def may_be_cancelled(self) -> bool:
        """Whether the job has not ended."""
        return JobState(self.state) in CHANGES["cancel"].states

    @property
    def may_be_retried(self) -> bool:
        """Whether the job is in a state in which it can be queued again."""
        return JobState(self.state) in CHANGES["retry"].states

    @property
    def is_verification(self) -> bool:
        """Whether the job verifies a signature."""
        return self.kind == JobKind.VERIFY


def event_view(event: Event) -> EventView:
    """Return a transition as a page shows it."""
    return EventView(iso_time(event.at), event.after, event.reason or None, event.message or None, event.attempt)


def sentence_of(progress: Progress) -> str:
    """Return in a few words how far a stage is: what is done, the rate, and the remaining time."""
    if not progress.total:
        return progress.stage
    if progress.stage == "sketching" and not progress.spots:
        return "preparing"
    seconds = progress.at - progress.first_at if progress.first_spots else 0.0
    done = progress.spots - progress.first_spots
    if progress.stage == "sketching":
        amount = f"{progress.spots:,} of {progress.total:,} spots"
        rate = format_rate(done * progress.bases / max(progress.spots, 1) / seconds, "bp") if seconds > 0 else ""
    elif progress.stage in ("fetching", "proving"):
        amount = f"{format_bytes(progress.spots)} of {format_bytes(progress.total)}"
        rate = format_rate(done / seconds) if seconds > 0 else ""
    else:
        return progress.stage
    left = progress.seconds_left
    parts = (
        f"{progress.stage}: {amount} ({format_share(progress.fraction)})",
        rate if done > 0 else "",
        f"{format_duration(left)} left" if left is not None else "",
    )
    return ", ".join(part for part in parts if part)
