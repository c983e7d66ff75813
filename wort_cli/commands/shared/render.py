"""Writes lines and tables: results on stdout, notices on stderr.  `printing` decides what they contain.

rich is imported only for a terminal, because that takes time.
"""

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from wort_cli.model.units import format_duration, iso_time, local_time

if TYPE_CHECKING:
    from wort_cli.commands.shared.fields import Field

duration = format_duration
__all__ = [
    "count",
    "drawing",
    "duration",
    "is_terminal",
    "iso_time",
    "local_time",
    "notice",
    "printable",
    "result",
    "rich_table",
]


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


def is_terminal(stream: TextIO | None = None) -> bool:
    """Return whether a stream is a terminal (default: stdout)."""
    return (stream or sys.stdout).isatty()


def count(number: int, thing: str) -> str:
    """Return a number with its noun: 1 run, 2 runs, 1,000 runs."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


GAP = 2
"""Spaces between two columns of a table."""
ALWAYS_SHOWN = 3
"""Columns at the start of a table that are never left out."""
STATE_STYLES = {
    "running": "cyan",
    "done": "green",
    "exists": "green",
    "already there": "green",
    "in the bucket": "green",
    "ok": "green",
    "repaired": "green",
    "waiting": "yellow",
    "warning": "yellow",
    "failed": "red",
    "problem": "red",
    "mismatch": "red",
    "unavailable": "magenta",
    "cancelled": "dim",
}
LONG_TABLE = 200
"""Rows above which a table has no colours: rich needs a millisecond for each row."""


def rich_table(fields: Sequence["Field"], cells: Mapping[str, Sequence[str]]) -> None:
    """Write a table without a frame; `cells` has the texts of each column by its key.

    In a narrow terminal, ids and places (Kind.kept) keep their width, so that they can be copied.  Texts are folded.
    If that does not suffice, the middle columns are left out, the last ones first, and if that does not suffice, lines
    are longer than the terminal.
    """
    if fields and len(cells[fields[0].key]) > LONG_TABLE:
        plain_table(fields, cells)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    widest = {field.key: max(len(field.header), *map(len, cells[field.key])) for field in fields}
    least = {
        field.key: widest[field.key]
        if field.kind.kept or field.kind.right
        else min(widest[field.key], field.kind.least)
        for field in fields
    }
    shown, left_out = fitting(fields, least, console.width)
    grid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for field in shown:
        grid.add_column(
            field.header,
            overflow="fold",
            no_wrap=least[field.key] == widest[field.key],
            justify="right" if field.kind.right else "left",
        )
    for row in zip(*(cells[field.key] for field in shown), strict=True):
        grid.add_row(*(Text(cell, style=STATE_STYLES.get(cell, "")) for cell in row))
    console.width = max(console.width, width_of(shown, least))
    console.print(grid)
    if left_out:
        notice(f"left out, for lack of space: {', '.join(field.header for field in left_out)}")


def plain_table(fields: Sequence["Field"], cells: Mapping[str, Sequence[str]]) -> None:
    """Write a table without colours and without folding."""
    widths = {field.key: max(len(field.header), *map(len, cells[field.key])) for field in fields}
    shown, left_out = fitting(fields, widths, terminal_width())
    columns = [
        [text.rjust(widths[field.key]) if field.kind.right else text.ljust(widths[field.key]) for text in texts]
        for field in shown
        for texts in [(field.header, *cells[field.key])]
    ]
    for row in zip(*columns, strict=True):
        result((" " * GAP).join(row).rstrip())
    if left_out:
        notice(f"left out, for lack of space: {', '.join(field.header for field in left_out)}")


def terminal_width() -> int:
    """Return the columns of the terminal, or of $COLUMNS."""
    return shutil.get_terminal_size().columns


def fitting(
    fields: Sequence["Field"], least: Mapping[str, int], width: int
) -> tuple[Sequence["Field"], Sequence["Field"]]:
    """Return the columns that fit into a width, and those that are left out."""
    shown, left_out = list(fields), list["Field"]()
    for field in reversed(fields[ALWAYS_SHOWN:]):
        if width_of(shown, least) <= width:
            break
        if not field.kind.kept:
            shown.remove(field)
            left_out.insert(0, field)
    return shown, left_out


def width_of(fields: Sequence["Field"], least: Mapping[str, int]) -> int:
    """Return the least width of a table."""
    return sum(least[field.key] + GAP for field in fields) - GAP


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
