"""Reads transitions and progress of jobs for all who follow them (`events.py`).

One task reads the ledger once a second for all clients, and only while there are some.  A client that reads too slowly
is disconnected.
"""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool

from wort_cli.errors import WortError
from wort_cli.model.units import iso_time
from wort_cli.web.errors import LOG
from wort_cli.web.limits import too_often
from wort_cli.web.served_home import ServedHome

INTERVAL = 1.0
"""Seconds between two looks at the ledger."""
MAX_CLIENTS = 1200
MAX_WAITING = 2000
"""Messages that wait for a client, before it is disconnected."""
PAGE = 1000
"""Events that are read at once."""


@dataclass(eq=False)
class Client:
    """One stream; `run` is the only run or assembly that it wants, empty for all."""

    run: str
    messages: "asyncio.Queue[str | None]" = field(default_factory=lambda: asyncio.Queue(MAX_WAITING + 1))

    def send(self, run: str, message: str) -> None:
        """Put a message into the queue; end the stream if the client does not read."""
        if self.run in ("", run) and self.messages.qsize() <= MAX_WAITING:
            self.messages.put_nowait(message if self.messages.qsize() < MAX_WAITING else None)


class EventFeed:
    """Reads events for all clients.  Its methods run in the server's loop."""

    def __init__(self, home: ServedHome) -> None:
        self._home = home
        self._clients: set[Client] = set()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def join(self, run: str) -> Client:
        """Add a client.  Raises Problem 503 if there are too many, or the server stops."""
        if self._stopped or len(self._clients) >= MAX_CLIENTS:
            problem = too_often("too many clients follow the events", 30.0)
            problem.status = 503
            raise problem
        client = Client(run)
        self._clients.add(client)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._read())
        return client

    def leave(self, client: Client) -> None:
        """Remove a client."""
        self._clients.discard(client)

    def stop(self) -> None:
        """End all streams."""
        self._stopped = True
        for client in self._clients:
            with contextlib.suppress(asyncio.QueueFull):
                client.messages.put_nowait(None)

    async def _read(self) -> None:
        last, since = await run_in_threadpool(self.last_event), time.time()
        while self._clients and not self._stopped:
            try:
                found, last, since = await run_in_threadpool(self.news, last, since)
            except WortError as error:
                LOG.error("events: %s", error.sentence)
                found = []
            for run, message in found:
                for client in self._clients:
                    client.send(run, message)
            await asyncio.sleep(INTERVAL)

    def last_event(self) -> int:
        """Return the id of the newest event."""
        row = self._home.ledger.storage.row("last_event")
        return int(row["id"]) if row else 0

    def news(self, last: int, since: float) -> tuple[list[tuple[str, str]], int, float]:
        """Return events after one, and progress since a time, each with its run; then where to continue."""
        storage = self._home.ledger.storage
        events = storage.rows("events_after", after=last, limit=PAGE)
        progress = storage.rows("progress_since", since=since)
        found = [(row["name"], message_of("job", event_document(row), row["id"])) for row in events]
        found += [(row["name"], message_of("progress", progress_document(row))) for row in progress]
        last = events[-1]["id"] if events else last
        return found, last, max([since, *(row["reported_at"] for row in progress)])


def event_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return a transition of a job."""
    return {
        "job": row["job_id"],
        "id": row["name"],
        "kind": row["kind"],
        "profile": row["profile"],
        "before": row["before"] or None,
        "state": row["after"],
        "reason": row["reason"] or None,
        "at": iso_time(row["at"]),
    }


def progress_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return the progress of a running job."""
    return {
        "job": row["job_id"],
        "id": row["name"],
        "stage": row["stage"],
        "spots": row["spots"],
        "spots_total": row["total"] or None,
        "bases": row["bases"],
        "at": iso_time(row["reported_at"]),
    }


def message_of(kind: str, document: dict[str, Any], number: int | None = None) -> str:
    """Return a server-sent event; JSON has no line ends."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {kind}\ndata: {json.dumps(document, separators=(',', ':'))}\n\n"
