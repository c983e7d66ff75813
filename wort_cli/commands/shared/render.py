"""How commands speak: results on stdout, everything else on stderr.

A terminal gets tables, a pipe gets tab-separated lines, `--json` one document.  rich is imported only for a terminal.
"""

import csv
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

Record = Mapping[str, Any]


def printable(value: object) -> str:
    """A value as text that can't steer a terminal: control characters are escaped."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def result(text: str = "") -> None:
    """A line of the result."""
    sys.stdout.write(f"{text}\n")


def say(text: str) -> None:
    """A line for the person, not part of the result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def document(data: Any) -> None:
    """The result as one JSON document."""
    json.dump(data, sys.stdout, indent=1, default=str)
    sys.stdout.write("\n")


def to_terminal(stream: TextIO | None = None) -> bool:
    """Whether stdout (or another stream) is a terminal."""
    return (stream or sys.stdout).isatty()


def table(columns: Sequence[str], records: Iterable[Record], *, as_json: bool = False, form: str = "") -> None:
    """Records as a table for a terminal, tab-separated lines for a pipe, or a JSON list.

    `form` is `csv` or `tsv` for a file with a header, whatever stdout is.
    """
    if as_json:
        document([dict(record) for record in records])
    elif form:
        writer = csv.writer(sys.stdout, delimiter="," if form == "csv" else "\t", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([printable(record[column]) for column in columns] for record in records)
    elif to_terminal():
        rich_table(columns, list(records))
    else:
        for record in records:
            result("\t".join(printable(record[column]) for column in columns))


def facts(pairs: Mapping[str, object]) -> None:
    """Names and values, a line each: aligned for a terminal, tab-separated for a pipe."""
    width = max((len(name) for name in pairs), default=0)
    for name, value in pairs.items():
        result(f"{name:<{width}}  {printable(value)}" if to_terminal() else f"{name}\t{printable(value)}")


def rich_table(columns: Sequence[str], records: Sequence[Record]) -> None:
    """A table without a frame; columns that are empty throughout are left out."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = [column for column in columns if any(printable(record[column]) for record in records)]
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in shown:
        grid.add_column(column.replace("_", " "), overflow="fold")
    for record in records:
        grid.add_row(
            *(Text(printable(record[column]), style=STATE_STYLES.get(str(record[column]), "")) for column in shown)
        )
    Console(highlight=False).print(grid)


STATE_STYLES = {
    "running": "cyan",
    "done": "green",
    "already there": "green",
    "ok": "green",
    "mended": "green",
    "waiting": "yellow",
    "warning": "yellow",
    "failed": "red",
    "problem": "red",
    "unavailable": "magenta",
    "cancelled": "dim",
}


def when(seconds: float | None) -> str:
    """A time since 1970 as local time."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def duration(seconds: float) -> str:
    """Seconds as a person says them: 42s, 3m 10s, 2h 05m."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    return f"{seconds // 3600}h {seconds % 3600 // 60:02d}m"


def count(number: int, thing: str) -> str:
    """1 run, 2 runs, 1,000 runs."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
