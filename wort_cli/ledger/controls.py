"""Controls: what users have set with `wort daemon pause`, `resume` and `jobs`, and notes of the daemon's own.

They are rows of the ledger, so they outlive the daemon: it reads them in each turn and when it starts.
"""

import time
from collections.abc import Collection

from wort_cli.ledger.database import Storage

YES, NO = "yes", ""


class Controls:
    """The tables `control` (a value for each key) and `paused_groups`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def home_id(self) -> str:
        """Return the random id of this home, which its tables in a bucket are named after; made at first use."""
        if not self._get("home_id"):
            import secrets

            self._set("home_id", secrets.token_hex(8))
        return self._get("home_id")

    def known_home_id(self) -> str:
        """Return the id of this home, empty if it has none yet; for callers that may not write."""
        return self._get("home_id")

    @property
    def paused(self) -> bool:
        """Whether the daemon must not start jobs."""
        return self._get("paused") == YES

    def pause(self) -> None:
        """Let the daemon start no more jobs.  Running jobs continue."""
        self._set("paused", YES)

    def resume(self) -> None:
        """Let the daemon start jobs again.  Paused groups stay paused."""
        self._set("paused", NO)

    def job_limit(self, default: int) -> int:
        """Return how many jobs may run at a time; `default` if no user has set it."""
        return int(self._get("jobs") or default)

    @property
    def has_job_limit(self) -> bool:
        """Whether a user has set how many jobs may run at a time."""
        return bool(self._get("jobs"))

    def set_job_limit(self, jobs: int | None) -> None:
        """Set how many jobs may run at a time; None takes that back, so that the setting `jobs` counts again."""
        self._set("jobs", "" if jobs is None else str(jobs))

    @property
    def killed_on_purpose(self) -> bool:
        """Whether a user killed the last daemon with `wort daemon stop --now`, so that its end was no crash."""
        return self._get("killed") == YES

    def set_killed_on_purpose(self, killed: bool) -> None:
        """Record, or forget, that a user killed the daemon."""
        self._set("killed", YES if killed else NO)

    @property
    def suspects(self) -> frozenset[int]:
        """The numbers of the jobs that are tried alone (suspects.py)."""
        return frozenset(int(word) for word in self._get("suspects").split())

    def set_suspects(self, job_ids: Collection[int]) -> None:
        """Set which jobs are tried alone."""
        self._set("suspects", " ".join(map(str, sorted(job_ids))))

    @property
    def drained(self) -> frozenset[str]:
        """The workers on other hosts that take no more jobs."""
        return frozenset(self._get("drained").split())

    def set_drained(self, workers: Collection[str]) -> None:
        """Set which workers take no more jobs."""
        self._set("drained", " ".join(sorted(workers)))

    def write_timestamp(self) -> None:
        """Write the present time, to prove that the ledger can be written.  Nothing reads it."""
        self._set("written_at", str(int(time.time())))

    def pause_group(self, group: str) -> None:
        """Let no job of a group start, including jobs that join the group later."""
        self._storage.change("pause_group", group_name=group)

    def resume_group(self, group: str) -> bool:
        """Let jobs of a group start again; return whether the group was paused."""
        return self._storage.change("resume_group", group_name=group) > 0

    def paused_groups(self) -> list[str]:
        """Return the paused groups in alphabetical order."""
        return [row["name"] for row in self._storage.rows("paused_groups")]

    def _get(self, key: str) -> str:
        row = self._storage.row("control", key=key)
        return str(row["value"]) if row else ""

    def _set(self, key: str, value: str) -> None:
        self._storage.change("set_control", key=key, value=value)
