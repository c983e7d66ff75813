"""Conditional and partial requests (RFC 9110, sections 13 and 14): decides which bytes of a file are sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
"""One range.  Several at once are not served: the answer is then the whole file, which the standard allows."""
MAX_CONDITION = 4096
"""Characters of a condition that are looked at."""


@dataclass(frozen=True)
class Part:
    """The part of a file that is sent: the status, the first byte, and the number of bytes."""

    status: int
    start: int
    length: int


def wanted_part(headers: Mapping[str, str], size: int, etag: str) -> Part:
    """Return which part of a file of `size` bytes a request wants: 200, 206, 304 or 416."""
    condition = headers.get("if-none-match", "")[:MAX_CONDITION]
    if condition and (condition.strip() == "*" or etag in re.findall(r'"[^"]*"', condition)):
        return Part(304, 0, 0)
    found = RANGE.fullmatch(headers.get("range", "").strip())
    if found is None or (headers.get("if-range", etag) != etag):
        return Part(200, 0, size)
    first, last = found.groups()
    if not first and not last:
        return Part(200, 0, size)
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < int(first):
            return Part(200, 0, size)
    if start >= end:
        return Part(416, 0, 0)
    return Part(206, start, end - start)
