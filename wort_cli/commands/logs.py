"""`wort logs`: the events of a job and the log of its tools, or the log of the daemon."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.options import JsonOption
from wort_cli.commands.shared.selection import find_job_ids, open_home_to_read
from wort_cli.errors import NoSuchFile, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Event

POLL = 0.3
"""Seconds between two readings of a log that is followed."""


def logs(
    job: Annotated[str | None, typer.Argument(metavar="JOB|ID", help="A job number, or a signature name.")] = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Show new lines as they are written, until the job has ended.")
    ] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", metavar="N", min=0, help="Show the last N lines.")] = 200,
    daemon: Annotated[bool, typer.Option("--daemon", help="Show the log of the daemon instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the events and the log of a job."""
    settings, ledger = open_home_to_read()
    if daemon:
        if job is not None:
            raise UsageError("--daemon shows the daemon's log; it takes no job")
        if not settings.daemon_log.exists():
            raise NoSuchFile(settings.daemon_log, "no daemon has run yet")
        show_file(settings.daemon_log, lines, follow=follow)
        return
    if job is None:
        raise UsageError("which job?", "give a job number or a name, or --daemon")
    job_id = find_job_ids(ledger, [job])[0]
    if as_json:
        log = settings.job_log(job_id)
        render.document(
            {
                "events": [vars(event) for event in ledger.jobs.events(job_id)],
                "repairs": [
                    {"at": at, "what": what} for at, what in ledger.catalog.repairs(ledger.jobs.get(job_id).name)
                ],
                "log": list(last_lines(log, lines)) if log.exists() else [],
            }
        )
        return
    show_events(ledger, job_id)

    def has_ended() -> bool:
        return not ledger.jobs.get(job_id).state.is_live

    show_file(settings.job_log(job_id), lines, follow=follow, has_ended=has_ended)


def show_events(ledger: Ledger, job_id: int) -> None:
    """Print the transitions of a job and the repairs of its signature, one per line."""
    for event in ledger.jobs.events(job_id):
        render.result(f"{render.local_time(event.at)} {describe(event)}")
    for at, what in ledger.catalog.repairs(ledger.jobs.get(job_id).name):
        render.result(f"{render.local_time(at)} repaired: {render.printable(what)}")


def describe(event: Event) -> str:
    """Return a transition as text: new state, attempt, reason and message."""
    reason = f", {event.reason}" if event.reason else ""
    message = f": {render.printable(event.message)}" if event.message else ""
    attempt = f" [attempt {event.attempt}]" if event.attempt else ""
    return f"{event.after}{attempt}{reason}{message}"


def show_file(path: Path, lines: int, *, follow: bool, has_ended: Callable[[], bool] = lambda: False) -> None:
    """Print the last lines of a log; with `follow`, also print new lines until `has_ended` returns True."""
    if path.exists():
        for line in last_lines(path, lines):
            render.result(render.printable(line))
    position = path.stat().st_size if path.exists() else 0
    while follow:
        sys.stdout.flush()
        ended = has_ended()  # asked first, so that the last lines are still read
        if path.exists() and path.stat().st_size != position:
            with path.open(encoding="utf-8", errors="replace") as file:
                file.seek(position if path.stat().st_size > position else 0)  # a rotated log starts at 0
                for line in file:
                    render.result(render.printable(line.rstrip("\n")))
                position = file.tell()
        if ended:
            return
        time.sleep(POLL)


def last_lines(path: Path, number: int) -> Iterator[str]:
    """Yield the last `number` lines of a file."""
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from (line.rstrip("\n") for line in deque(file, maxlen=number))
