"""Durations on the command line, such as 30m or 7d."""

import re

from wort_cli.errors import UsageError, shown

DURATION = re.compile(r"([1-9][0-9]{0,6})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str, option: str, longest: int | None = None) -> int:
    """Return the seconds of a duration such as 30m; UsageError if it is malformed or longer than `longest` seconds."""
    found = DURATION.fullmatch(text)
    seconds = int(found[1]) * SECONDS[found[2]] if found else 0
    if seconds <= 0 or (longest is not None and seconds > longest):
        limit = "" if longest is None else f", up to {longest // 86400}d"
        raise UsageError(f"{option} {shown(text)} is not a duration", f"give a duration such as 30s, 15m or 1h{limit}")
    return seconds
