"""`wort logs`: what happened to a job, and what its tools said; or the daemon's own log."""

import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.commands.shared import render
from wort_cli.commands.shared.context import JsonOption, begin, job_ids_of
from wort_cli.errors import NoSuchFile, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Event

POLL = 0.3


def logs(
    job: Annotated[str | None, typer.Argument(metavar="JOB|ID", help="A job, or the name of a signature.")] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the job has ended, or Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="The last N lines.")] = 200,
    daemon: Annotated[bool, typer.Option("--daemon", help="The daemon's log.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what happened to a job."""
    settings, ledger = begin()
    if daemon:
        if job is not None:
            raise UsageError("--daemon takes no job")
        if not settings.daemon_log.exists():
            raise NoSuchFile(settings.daemon_log, "no daemon has run yet")
        show_file(settings.daemon_log, lines, follow=follow)
        return
    if job is None:
        raise UsageError("which job?", "give its number or name, or --daemon")
    job_id = job_ids_of(ledger, [job])[0]
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
    show_file(settings.job_log(job_id), lines, follow=follow, until=lambda: not ledger.jobs.get(job_id).state.is_live)


def show_events(ledger: Ledger, job_id: int) -> None:
    """The moves of a job, a line each."""
    for event in ledger.jobs.events(job_id):
        render.result(f"{render.when(event.at)} {described(event)}")
    for at, what in ledger.catalog.repairs(ledger.jobs.get(job_id).name):
        render.result(f"{render.when(at)} repaired: {render.printable(what)}")


def described(event: Event) -> str:
    """A move in words."""
    why = f", {event.reason}" if event.reason else ""
    detail = f": {render.printable(event.message)}" if event.message else ""
    attempt = f" [attempt {event.attempt}]" if event.attempt else ""
    return f"{event.after}{attempt}{why}{detail}"


def show_file(path: Path, lines: int, *, follow: bool, until=lambda: False) -> None:  # type: ignore[no-untyped-def]
    """The last lines of a log, and those that are added while `follow` lasts."""
    if path.exists():
        for line in last_lines(path, lines):
            render.result(render.printable(line))
    position = path.stat().st_size if path.exists() else 0
    while follow:
        sys.stdout.flush()
        ended = until()
        if path.exists() and path.stat().st_size != position:
            with path.open(encoding="utf-8", errors="replace") as file:
                file.seek(position if path.stat().st_size > position else 0)  # a rotated log begins anew
                for line in file:
                    render.result(render.printable(line.rstrip("\n")))
                position = file.tell()
        if ended:
            return
        time.sleep(POLL)


def last_lines(path: Path, number: int) -> Iterator[str]:
    """The last lines of a file."""
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from (line.rstrip("\n") for line in deque(file, maxlen=number))
