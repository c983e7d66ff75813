"""Colours of a terminal: which it has, and texts with their escape sequences.

rich does this too, but its import takes as long as everything else that a short command does.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "magenta": "35", "cyan": "36"}
"""Parameters of SGR escape sequences (ECMA-48)."""
COLOURS = CODES.keys() - {"bold", "dim"}
STATE_STYLES = {
    "running": "cyan",
    "done": "green",
    "exists": "green",
    "already there": "green",
    "in the bucket": "green",
    "fetched": "green",
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


def sequences(styles: Iterable[str]) -> dict[str, str]:
    """Return the escape sequence that begins each style; empty for what this terminal does not show.

    $NO_COLOR leaves bold and dim (https://no-color.org); a dumb terminal has no styles at all.
    """
    if os.environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return dict.fromkeys(styles, "")
    shown = CODES.keys() - COLOURS if os.environ.get("NO_COLOR") else CODES.keys()
    codes = {style: ";".join(CODES[word] for word in style.split() if word in shown) for style in styles}
    return {style: f"\x1b[{code}m" if code else "" for style, code in codes.items()}


def styled(text: str, start: str) -> str:
    """Return a text between the escape sequence of its style and the one that ends it."""
    return f"{start}{text}\x1b[0m" if start and text else text


def drawing(lines: Iterable[str], styles: Mapping[str, str]) -> None:
    """Write lines to a terminal, with a style for each match of a pattern; matches must not overlap."""
    starts = sequences(styles.values())
    patterns = [(re.compile(pattern), starts[style]) for pattern, style in styles.items() if starts[style]]
    for line in lines:
        text = line
        for pattern, start in patterns:
            text = pattern.sub(lambda found, start=start: styled(found[0], start), text)  # type: ignore[misc]
        sys.stdout.write(f"{text}\n")
