"""`wort logs`: what happened to a job, from its events and the log of its tools, or the log of the daemon."""

import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.commands.shared.arguments.options import JsonOption, NoHeaderOption, ShowAllOption
from wort_cli.commands.shared.arguments.selection import find_job_ids, open_home_to_read
from wort_cli.commands.shared.jobs.history import Entry, Origin, Quiet, merged, quiet
from wort_cli.commands.shared.jobs.job_record import REASON
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, ID, JOB, MESSAGE, PATH, TIME, Document, Field, Record, one_of
from wort_cli.commands.shared.showing.printing import NOTHING, Form, print_records
from wort_cli.errors import NoSuchFile, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.settings import Settings

POLL = 0.3
"""Seconds between two readings of a log that is followed."""
DOCUMENT = Document(
    "logs",
    "What happened to a job, or the log of the daemon, in order of time.",
    head=(
        Field("job", JOB, "The number of the job; null for the daemon's log", optional=True),
        Field("name", ID, "The name of its signature", optional=True),
        Field("path", PATH, "The log"),
    ),
    rows="entries",
    row=(
        Field("at", TIME, "When it happened; null for a line without a time", optional=True),
        Field("attempt", COUNT, "The number of the attempt", optional=True),
        Field("state", one_of(JobState), "The new state of the job, if it changed", optional=True),
        REASON,
        MESSAGE,
        Field("origin", one_of(Origin), "Where the entry comes from"),
    ),
    columns=("at", "attempt", "state", "reason", "message"),
)


def logs(
    job: Annotated[str | None, typer.Argument(metavar="JOB|ID", help="A job number, or a signature name.")] = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Show new lines as they are written, until the job has ended.")
    ] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", metavar="N", min=0, help="Show the last N lines.")] = 200,
    everything: ShowAllOption = False,
    daemon: Annotated[bool, typer.Option("--daemon", help="Show the log of the daemon instead.")] = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Show what happened to a job, in order of time.

    Shows its events, and what is unusual in its log. With --all, also what is normal: versions, probes, tools that
    succeeded.
    """
    if follow and as_json:
        raise UsageError("--follow and --json exclude each other", "JSON is one document, which has an end")
    settings, ledger = open_home_to_read()
    form = Form.of(as_json=as_json)
    if daemon:
        if job is not None:
            raise UsageError("--daemon shows the daemon's log; it takes no job")
        show_daemon_log(settings.daemon_log, lines, form, follow=follow, header=not no_header)
        return
    if job is None:
        raise UsageError("no job is named", "give a job number or a name, or --daemon")
    job_id = find_job_ids(ledger, [job])[0]
    log = settings.job_log(job_id)
    tail = Tail(log)
    entries = history(job_id, ledger, settings)
    head = {"job": job_id, "name": str(ledger.jobs.get(job_id).name), "path": str(log)}
    show(last(entries if everything else quiet(entries), lines), form, head, header=not no_header)
    if follow:
        follow_job(job_id, ledger, tail, form, everything=everything)


def history(job_id: int, ledger: Ledger, settings: Settings) -> list[Entry]:
    """Return the events of a job, the lines of its log, and the repairs of its signature, in order of time."""
    events = [Entry.of_event(event) for event in ledger.jobs.events(job_id)]
    name = ledger.jobs.get(job_id).name
    repairs = [Entry(at, Origin.REPAIR, f"repaired: {what}") for at, what in ledger.catalog.repairs(name)]
    return merged([*events, *repairs], map(Entry.of_line, lines_of_file(settings.job_log(job_id))))


def last(entries: Iterable[Entry], number: int) -> list[Entry]:
    """Return the last entries."""
    return list(deque(entries, maxlen=number))


def lines_of_file(path: Path) -> Iterator[str]:
    """Yield the lines of a log; none if it does not exist."""
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from (line.rstrip("\n") for line in file)


def show(entries: Iterable[Entry], form: Form, head: Record, *, header: bool) -> None:
    """Print entries: sentences on a terminal, else records."""
    if form is not Form.TERMINAL:
        print_records(DOCUMENT, (entry.record() for entry in entries), form, header=header, head=head)
        return
    for entry in entries:
        render.result(render.printable(entry.sentence()))


def follow_job(job_id: int, ledger: Ledger, tail: "Tail", form: Form, *, everything: bool) -> None:
    """Print new entries as they are written, until the job has ended."""
    seen, filtered = len(ledger.jobs.events(job_id)), Quiet()
    while True:
        sys.stdout.flush()
        ended = not ledger.jobs.get(job_id).state.is_live  # asked first, so that the last lines are still read
        events = ledger.jobs.events(job_id)
        new = merged(map(Entry.of_event, events[seen:]), map(Entry.of_line, tail.new_lines()))
        seen = len(events)
        kept = new if everything else [entry for one in new for entry in filtered.of(one)]
        show(kept, form, NOTHING, header=False)
        if ended:
            return
        time.sleep(POLL)


def show_daemon_log(path: Path, lines: int, form: Form, *, follow: bool, header: bool) -> None:
    """Print the last lines of the daemon's log; with `follow`, also new lines, until Ctrl-C."""
    if not path.exists():
        raise NoSuchFile(path, "no daemon has run yet")
    tail = Tail(path)
    head = {"job": None, "name": None, "path": str(path)}
    show(last(map(Entry.of_daemon_line, lines_of_file(path)), lines), form, head, header=header)
    while follow:
        sys.stdout.flush()
        time.sleep(POLL)
        show(map(Entry.of_daemon_line, tail.new_lines()), form, NOTHING, header=False)


class Tail:
    """Reads the lines that are appended to a log after this object was made; the log may be rotated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = path.stat().st_size if path.exists() else 0

    def new_lines(self) -> list[str]:
        """Return the lines since the last call."""
        if not self._path.exists() or (size := self._path.stat().st_size) == self._position:
            return []
        with self._path.open(encoding="utf-8", errors="replace") as file:
            file.seek(self._position if size > self._position else 0)  # a rotated log starts at 0
            lines = [line.rstrip("\n") for line in file]
            self._position = file.tell()
        return lines
