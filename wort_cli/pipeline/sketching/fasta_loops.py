"""Loops of compiled_fasta.py: they convert lines of FASTA to text.  The state is a record of STATE there."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit, jit_helper

Letters = NDArray[np.uint8]

LINE_FEED, BLANK, DOT, GREATER, ZERO, NINE, N = np.frombuffer(b"\n .>09N", np.uint8)
STEP = 16
"""Bytes that are copied at a time."""
MAX_DIGITS = 18
"""Decimal digits that always fit into 64 bits."""

# Where in a line the last piece ended.
LINE_START, BEFORE_BASES, IN_BASES = 0, 1, 2  # BEFORE_BASES: after blanks; here '>' is a base like any other letter


@jit
def read_lines(
    data: Letters,
    ends: NDArray[np.int64],
    state: NDArray[Any],
    text: Letters,
) -> tuple[int, int, int]:
    """Write the text of `data` to `text`, which must be one byte longer than `data`, and update `state`.

    `ends` are the positions of the line feeds, and the size of `data`.  Returns the length of the text, the number of
    bytes of `data` that were read (all, or all except an incomplete header), and 0 if the next line is invalid, else 1.
    """
    record = state[0]
    n = start = 0
    valid = 1
    for end in ends:
        if start == data.size:
            break
        if record.place == LINE_START and data[start] == GREATER:
            if end == data.size:
                break
            spot = parse_spot(data[start:end])
            if spot < 0:
                valid = 0
                break
            end_read(state)
            record.reads += 1
            if spot != record.spot:
                record.spot = spot
                record.spots += 1
            text[n] = N
            n += 1
        else:
            before = n
            n = copy_bases(data[start:end], end < data.size, state, text, n)
            if n > before and record.reads == 0:
                valid = 0
                break
        start = end + 1
    return n, min(start, data.size), valid


@jit_helper
def copy_bases(line: Letters, ends: bool, state: NDArray[Any], text: Letters, n: int) -> int:
    """Append the bases of a line, or of a part of it, to text[:n].  Returns the new n.

    `ends` is whether the line ends after `line`, rather than in a later piece.
    """
    record = state[0]
    first, last = 0, line.size
    if record.place != IN_BASES:
        while first < last and is_blank(line[first]):
            first += 1
    while last > first and is_blank(line[last - 1]):
        last -= 1
    if last > first:
        if record.blanks:  # bases follow, so these blanks are inside the line; one breaks k-mers as well as many
            text[n] = BLANK
            n += 1
        copy(line[first:last], text[n:])
        n += last - first
        record.length += record.blanks + last - first
        record.blanks = 0
        record.place = IN_BASES
    if record.place == IN_BASES:
        record.blanks += line.size - last
    elif line.size:
        record.place = BEFORE_BASES
    if ends:
        record.place = LINE_START
        record.blanks = 0
    return n


@jit_helper
def is_blank(c: np.uint8) -> bool:
    """Return whether str.strip() strips this ASCII character."""
    return bool(c == 32 or 9 <= c <= 13 or 28 <= c <= 31)


@jit_helper
def copy(source: Letters, target: Letters) -> None:
    """Copy `source` to the start of `target`.  Steps of a fixed length are twice as fast as assigning a slice."""
    done = 0
    while done + STEP <= source.size:
        for i in range(STEP):
            target[done + i] = source[done + i]
        done += STEP
    while done < source.size:
        target[done] = source[done]
        done += 1


@jit
def end_read(state: NDArray[Any]) -> None:
    """Count the bases of the current read, if there is one."""
    record = state[0]
    record.bases += record.length
    record.longest = max(record.longest, record.length)
    record.length = 0


@jit_helper
def parse_spot(header: Letters) -> int:
    """Return the spot number of a header `>SPOT.READ`, or -1 if the header is invalid."""
    dot = skip_digits(header, 1)
    end = skip_digits(header, dot + 1)
    if dot == 1 or dot > MAX_DIGITS + 1 or end <= dot + 1 or header[dot] != DOT:
        return -1
    while end < header.size and is_blank(header[end]):  # such as the CR of CR LF
        end += 1
    if end < header.size:
        return -1
    spot = np.int64(0)
    for c in header[1:dot]:
        spot = spot * np.int64(10) + np.int64(c - ZERO)
    return int(spot)


@jit_helper
def skip_digits(line: Letters, start: int) -> int:
    """Return the first position from `start` on that is not a digit."""
    while start < line.size and ZERO <= line[start] <= NINE:
        start += 1
    return start
