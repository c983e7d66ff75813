"""A result of `wort doctor`.  A terminal shows the message beside what was checked, and the fix below it."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wort_cli.commands.shared.showing.render import printable

STATES = ("ok", "warning", "problem", "repaired")


@dataclass(frozen=True)
class Finding:
    """The result of one check; `state` is ok, warning, problem or repaired."""

    state: str
    what: str
    """The tool, directory or record that was checked."""
    detail: str
    fix: str = ""
    """The fix of a warning or a problem."""

    def to_json(self) -> dict[str, str | None]:
        """Return the finding as `wort doctor --json` prints it."""
        return {"state": self.state, "what": self.what, "message": self.detail or None, "fix": self.fix or None}


WIDEST = 20
"""Columns of the name of what was checked; after a longer one, such as a path, the message begins on a new line."""


def lines_for_terminal(findings: Sequence[Finding], width: int) -> Iterator[str]:
    """Yield the lines that show findings in so many columns; paths are never folded."""
    names = [len(finding.what) for finding in findings if len(finding.what) <= WIDEST]
    place = len(max(STATES, key=len)) + 2
    indent = " " * (place + max(names, default=0) + 2)
    for finding in findings:
        first = f"{finding.state:{place}}{printable(finding.what)}"
        lines = [
            *folded(finding.detail, width, indent),
            *folded(f"-> {finding.fix}" if finding.fix else "", width, indent),
        ]
        if len(first) + 2 <= len(indent) and lines:
            yield f"{first:{len(indent)}}{lines.pop(0).strip()}"
        else:
            yield first
        yield from lines


def folded(text: str, width: int, indent: str) -> Iterable[str]:
    """Return a text in indented lines, broken at spaces only."""
    return textwrap.wrap(
        printable(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
