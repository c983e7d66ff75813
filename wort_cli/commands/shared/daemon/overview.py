"""The overview of a home, for `wort status`: the daemon, and the number of jobs and signatures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wort_cli.commands.shared.showing import render
from wort_cli.health.status import Status, read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.follow import Follow
from wort_cli.model.job import JobState
from wort_cli.model.units import format_count, iso_time
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import DaemonInfo


@dataclass(frozen=True)
class Overview:
    """The daemon, and the number of jobs and signatures."""

    found: Status
    counts: Mapping[tuple[JobState, str], int]
    signatures: int
    paused: bool
    follows: Sequence[Follow]

    @classmethod
    def read(cls, settings: Settings, ledger: Ledger) -> "Overview":
        """Read the present numbers."""
        found = read_status(settings, ledger)
        return cls(
            found, ledger.counts.by_state(), ledger.catalog.count(), ledger.controls.paused, ledger.follows.all()
        )

    @property
    def by_state(self) -> dict[JobState, int]:
        """The number of jobs in each state."""
        return {state: sum(n for (s, _), n in self.counts.items() if s is state) for state in JobState}

    @property
    def reasons(self) -> list[tuple[JobState, str, int]]:
        """The jobs without a signature, by state and reason."""
        states = (JobState.FAILED, JobState.UNAVAILABLE, JobState.WAITING)
        return [(state, reason, n) for (state, reason), n in sorted(self.counts.items()) if reason and state in states]

    def record(self) -> dict[str, Any]:
        """Return the overview as JSON has it."""
        daemon = self.found.daemon
        return {
            "daemon": {
                "state": self.found.state,
                "pid": daemon.pid if daemon else None,
                "where": (daemon.where or "here") if daemon else None,
                "started_at": iso_time(daemon.started_at) if daemon else None,
                "version": daemon.version if daemon else None,
                "problems": list(self.found.problems),
                "held": self.found.blocked_by or None,
                "paused": self.paused,
            },
            "signatures": self.signatures,
            "follows": {"number": len(self.follows), "problems": self.problems},
            "counts": {str(state): n for state, n in self.by_state.items()},
            "reasons": [{"state": str(state), "reason": reason, "jobs": n} for state, reason, n in self.reasons],
        }

    @property
    def problems(self) -> list[str]:
        """The problems of followed projects and queries, as sentences."""
        return [f"{one.request.selection[:100]}: {one.why}" for one in self.follows if one.is_failing]

    def facts(self) -> dict[str, str]:
        """Return the overview as lines of names and values."""
        numbers = {}
        for state, n in self.by_state.items():
            if n:
                numbers[str(state)] = format_count(n)
                for of_state, reason, of_reason in self.reasons:
                    if of_state is state:
                        numbers[f"  {state} {reason}"] = format_count(of_reason)
        return {
            "daemon": daemon_summary(self.found.daemon, self.found.state),
            **{f"  problem {n}": sentence for n, sentence in enumerate(self.found.problems, 1)},
            **({"  held": self.found.blocked_by} if self.found.blocked_by else {}),
            "signatures": format_count(self.signatures),
            **({"followed": format_count(len(self.follows))} if self.follows else {}),
            **{f"  follow problem {n}": sentence for n, sentence in enumerate(self.problems, 1)},
            **numbers,
        }


def daemon_summary(daemon: DaemonInfo | None, state: str) -> str:
    """Return the state of the daemon, with its process and start time if it runs."""
    if daemon is None:
        return state
    where = f" {daemon.where}" if daemon.where else ""
    return f"{state} (process {daemon.pid}{where}, since {render.local_time(daemon.started_at)})"
