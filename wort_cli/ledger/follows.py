"""Projects and queries that are followed."""

import json
import time
from collections.abc import Iterable, Iterator

from wort_cli.ledger.database import Storage
from wort_cli.ledger.listing import pages
from wort_cli.model.follow import Follow, FollowReason, FollowRequest

MINUTE = 60.0


class Follows:
    """The table `follows`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add(self, request: FollowRequest) -> Follow:
        """Follow something; return it.  If it is followed already, change how."""
        values = {
            "selection": request.selection,
            "profile": request.profile,
            "group_name": request.group,
            "priority": request.priority,
            "accept_public": int(request.accept_public),
            "since": request.since,
            "most": request.most,
        }
        with self._storage.transaction():
            self._storage.change("follow", **values, now=time.time())
            return next(one for one in self.named(request.selection) if one.request.profile == request.profile)

    def all(self) -> list[Follow]:
        """Return everything that is followed, oldest first."""
        return [Follow.from_row(row) for row in self._storage.rows("follows")]

    def get(self, number: int) -> Follow | None:
        """Return what has a number; None if there is nothing."""
        row = self._storage.row("followed", id=number)
        return Follow.from_row(row) if row else None

    def named(self, selection: str) -> list[Follow]:
        """Return what follows an accession or a query, one for each profile."""
        return [Follow.from_row(row) for row in self._storage.rows("followed_selection", selection=selection)]

    def due(self, now: float, hours: float) -> list[Follow]:
        """Return what is due: its time has come, or is later than in so many hours, because the clock was set back."""
        furthest = now + hours * 3600 + MINUTE
        return [Follow.from_row(row) for row in self._storage.rows("due_follows", now=now, furthest=furthest)]

    def start(self, follow: Follow, next_at: float) -> bool:
        """Record that its list is asked for, until `next_at`; return False if another process did so before."""
        with self._storage.transaction():
            return bool(
                self._storage.change(
                    "start_follow",
                    id=follow.id,
                    before=follow.next_at,
                    now=time.time(),
                    next_at=next_at,
                    reason=str(FollowReason.INTERRUPTED),
                )
            )

    def end(
        self,
        follow: Follow,
        next_at: float,
        failures: int,
        reason: FollowReason | None = None,
        message: str = "",
        *,
        runs: int | None = None,
        queued: int = 0,
    ) -> None:
        """Record the result of a look; `runs` is None if they were not listed."""
        self._storage.change(
            "end_follow",
            id=follow.id,
            next_at=next_at,
            failures=failures,
            reason=str(reason or ""),
            message=message,
            listed_at=None if runs is None else time.time(),
            runs=runs,
            queued=queued,
        )

    def remove(self, number: int) -> bool:
        """Follow something no longer; return False if it was not followed.  Its jobs stay."""
        with self._storage.transaction():
            return bool(self._storage.change("unfollow", id=number))

    def never_requested(self, names: Iterable[str], profile: str) -> Iterator[str]:
        """Yield those of some runs that have neither a signature nor a job that computes it, in whatever state."""
        for some in pages(names):
            for row in self._storage.rows("never_requested", names=json.dumps(some), profile=profile):
                yield row["name"]
