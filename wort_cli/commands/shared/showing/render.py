"""Writes lines: results on stdout, notices on stderr.  `printing` decides what they contain."""

import shutil
import sys
from typing import TextIO

from wort_cli import errors
from wort_cli.model.units import format_duration, iso_time, local_time

duration = format_duration
__all__ = [
    "count",
    "duration",
    "is_terminal",
    "iso_time",
    "local_time",
    "notice",
    "printable",
    "result",
]


def printable(value: object) -> str:
    """Return a value as text that cannot control a terminal: control characters are escaped."""
    return "" if value is None else errors.printable(str(value))


def result(text: str = "") -> None:
    """Write a line of the result to stdout."""
    sys.stdout.write(f"{text}\n")


def notice(text: str, *, fold: bool = True) -> None:
    """Write a message to stderr that is not part of the result.

    A terminal gets lines that are broken between words, unless `fold` is false: a command line is copied as a whole.
    """
    sys.stderr.write(f"{broken(text) if fold and is_terminal(sys.stderr) else text}\n")
    sys.stderr.flush()


def broken(text: str) -> str:
    """Return a text whose lines are no longer than the terminal, if words permit; the indent of a line is kept."""
    columns = shutil.get_terminal_size().columns
    lines = text.split("\n")
    if max(map(len, lines)) <= columns:
        return text
    import textwrap

    folded = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip(" ")))
        folded += textwrap.wrap(
            line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return "\n".join(folded)


def is_terminal(stream: TextIO | None = None) -> bool:
    """Return whether a stream is a terminal (default: stdout)."""
    return (stream or sys.stdout).isatty()


def count(number: int, thing: str) -> str:
    """Return a number with its noun: 1 run, 2 runs, 1,000 runs."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
