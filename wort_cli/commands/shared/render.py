"""The output of commands: results on stdout, notices on stderr.

A terminal gets tables, a pipe gets tab-separated lines, and `--json` prints one document.  rich is imported only for a
terminal, because that takes time.
"""

import csv
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

Record = Mapping[str, Any]
NO_HEADERS: Mapping[str, str] = {}


def printable(value: object) -> str:
    """Return a value as text that cannot control a terminal: control characters are escaped."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def result(text: str = "") -> None:
    """Write a line of the result to stdout."""
    sys.stdout.write(f"{text}\n")


def notice(text: str) -> None:
    """Write a line to stderr: a message for the user that is not part of the result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def document(data: Any) -> None:
    """Write the result as one JSON document."""
    json.dump(data, sys.stdout, indent=1, default=str)
    sys.stdout.write("\n")


def json_list(records: Iterable[Record]) -> None:
    """Write records as one JSON list; only one of them is in memory."""
    separator = "[\n"
    for record in records:
        sys.stdout.write(separator)
        json.dump(dict(record), sys.stdout, indent=1, default=str)
        separator = ",\n"
    sys.stdout.write("[]\n" if separator == "[\n" else "\n]\n")


def is_terminal(stream: TextIO | None = None) -> bool:
    """Return whether a stream is a terminal (default: stdout)."""
    return (stream or sys.stdout).isatty()


def table(
    columns: Sequence[str],
    records: Iterable[Record],
    *,
    as_json: bool = False,
    file_format: str = "",
    headers: Mapping[str, str] = NO_HEADERS,
) -> None:
    """Write records as a table (terminal), as tab-separated lines (pipe), or as a JSON list.

    With `file_format` `csv` or `tsv`, write a header and the fields of that format to a terminal and a pipe alike.
    `headers` has the headers of a terminal's table that differ from the names of the columns.
    """
    if as_json:
        json_list(records)
    elif file_format:
        writer = csv.writer(sys.stdout, delimiter="," if file_format == "csv" else "\t", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([printable(record[column]) for column in columns] for record in records)
    elif is_terminal():
        rich_table(columns, list(records), headers)
    else:
        for record in records:
            result("\t".join(printable(record[column]) for column in columns))


def facts(pairs: Mapping[str, object]) -> None:
    """Write names and values, one pair per line: aligned (terminal) or tab-separated (pipe)."""
    width = max((len(name) for name in pairs), default=0)
    for name, value in pairs.items():
        result(f"{name:<{width}}  {printable(value)}" if is_terminal() else f"{name}\t{printable(value)}")


def rich_table(columns: Sequence[str], records: Sequence[Record], headers: Mapping[str, str] = NO_HEADERS) -> None:
    """Write a table without a frame; omit the columns that are empty in every record.

    In a narrow terminal, the columns of NEVER_FOLDED keep their width, so that they can be copied: the others are
    folded, and if that does not suffice, lines are longer than the terminal.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = [column for column in columns if any(printable(record[column]) for record in records)]
    grid = Table(box=None, pad_edge=False, header_style="bold")
    least = 0
    for column in shown:
        title, is_kept = headers.get(column, column.replace("_", " ")), column in NEVER_FOLDED
        grid.add_column(title, overflow="fold", no_wrap=is_kept)
        widest = max(len(title), *(len(printable(record[column])) for record in records))
        least += 2 + (widest if is_kept else min(widest, LEAST_WIDTH))
    for record in records:
        grid.add_row(
            *(Text(printable(record[column]), style=STATE_STYLES.get(str(record[column]), "")) for column in shown)
        )
    console = Console(highlight=False)
    console.width = max(console.width, least)
    console.print(grid)


def drawing(lines: Iterable[str], styles: Mapping[str, str]) -> None:
    """Write lines to a terminal, with a style for each match of a pattern."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines:
        text = Text(line)
        for pattern, style in styles.items():
            text.highlight_regex(pattern, style)
        console.print(text, soft_wrap=True)


NEVER_FOLDED = frozenset({"name", "job", "digest", "md5", "path", "file", "url"})
"""Columns of ids and places."""
LEAST_WIDTH = 12
"""Characters to which another column may be folded."""
STATE_STYLES = {
    "running": "cyan",
    "done": "green",
    "already there": "green",
    "in the bucket": "green",
    "ok": "green",
    "repaired": "green",
    "waiting": "yellow",
    "warning": "yellow",
    "failed": "red",
    "problem": "red",
    "unavailable": "magenta",
    "cancelled": "dim",
}


def local_time(seconds: float | None) -> str:
    """Return a Unix time as local date and time; empty for None."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def iso_time(seconds: float | None) -> str | None:
    """Return a Unix time in ISO 8601, in UTC; None for None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """Return seconds in readable form: 42s, 3m 10s, 2h 05m."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m {seconds % 60:02d}s"
    return f"{seconds // 3600}h {seconds % 3600 // 60:02d}m"


def count(number: int, thing: str) -> str:
    """Return a number with its noun: 1 run, 2 runs, 1,000 runs."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
