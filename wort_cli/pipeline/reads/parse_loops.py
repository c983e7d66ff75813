"""Loops of parser.py: they convert lines of FASTQ and FASTA to text.  The state is a record of STATE there.

Errors are numbers of `Fault` (faults.py).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit, jit_helper
from wort_cli.pipeline.sketching.lanes import LETTERS as LANES
from wort_cli.pipeline.sketching.lanes import first_bit, load, mask_bits, store

Letters = NDArray[np.uint8]

LINE_FEED, AT, GREATER, PLUS, DASH, DOT, STAR = np.frombuffer(b"\n@>+-.*", np.uint8)
UPPER = np.uint8(0xDF)  # converts a lower-case letter to upper case, and no other byte to a letter
BEFORE_A, Z = np.uint8(0x40), np.uint8(0x5A)
BEFORE_QUALITIES, LAST_QUALITY = np.uint8(0x20), np.uint8(0x7E)
ALL_LANES = np.uint64(2**LANES - 1)
QUALITY, ANY = 0, 1
"""The kinds of lines: base qualities, and all others."""
COMPLETE, NO_AT, BLANK_LINE, BAD_SEQUENCE, BAD_QUALITY, QUALITY_LENGTH = 0, 1, 2, 3, 4, 5
INCOMPLETE = -1  # what has arrived of the record is right


@jit
def read_fastq(data: Letters, size: int, state: NDArray[Any], text: Letters) -> tuple[int, int, int]:
    """Write the text of the complete records in data[:size] to `text`, which must be as long as `data`.

    Both need LANES bytes more.  Each record becomes a line feed and its sequence.  Returns the length of the text, the
    position in `data` of what was not read (an incomplete record, or the line with an error), and a Fault, or 0.
    """
    record = state[0]
    n = start = fault = 0
    while start < size:
        end, _ = find_end(data, start, size, ANY)
        if end < 0:
            break
        if strip(data, start, end) == start:
            record.blank = 1
            record.lines += 1
            start = end + 1
            continue
        if record.blank:
            record.lines -= 1  # the empty line before this one is the error
            fault = BLANK_LINE
            break
        if data[start] != AT:
            fault = NO_AT
            break
        text[n] = LINE_FEED
        letters, at, lines, fault = read_sequence(data, end + 1, size, text, n + 1)
        if fault == COMPLETE:
            length = letters - n - 1
            at, more, fault = read_qualities(data, at, size, length)
            lines += more
        if fault == INCOMPLETE:
            fault = COMPLETE
            break
        record.lines += lines
        start = at
        if fault != COMPLETE:
            break
        n = letters
        record.reads += 1
        record.bases += length
        record.longest = max(record.longest, length)
    return n, min(start, size), fault


@jit_helper
def read_sequence(data: Letters, at: int, size: int, text: Letters, n: int) -> tuple[int, int, int, int]:
    """Copy the lines of a sequence of FASTQ to text[n:], and skip the line `+`.

    Returns the new n, the position after the line `+` or of the line with an error, the lines before that, and a Fault.
    """
    lines = 1
    while at < size and data[at] != PLUS:
        end, bad = copy_line(data, at, size, text, n)
        last = strip(data, at, size if end < 0 else end)
        if 0 <= bad < last:
            return n, at, lines, BAD_SEQUENCE
        if end < 0:
            return n, at, lines, INCOMPLETE
        n += last - at
        at = end + 1
        lines += 1
    end, _ = find_end(data, at, size, ANY)
    if end < 0:
        return n, at, lines, INCOMPLETE
    return n, end + 1, lines + 1, COMPLETE


@jit_helper
def read_qualities(data: Letters, at: int, size: int, length: int) -> tuple[int, int, int]:
    """Skip the lines with the qualities of a sequence of `length` letters; see read_sequence."""
    seen = lines = 0
    while seen < length or lines == 0:
        end, bad = find_end(data, at, size, QUALITY)
        if end < 0:
            return at, lines, INCOMPLETE
        last = strip(data, at, end)
        total = seen + last - at
        if seen > 0 and data[at] == AT and total != length:  # the next record: there are too few
            return at, lines - 1, QUALITY_LENGTH
        if 0 <= bad < last:
            return at, lines, BAD_QUALITY
        if total > length or (last == at and length > 0):
            return at, lines, QUALITY_LENGTH
        seen = total
        at = end + 1
        lines += 1
    return at, lines, COMPLETE


@jit
def read_fasta(data: Letters, size: int, state: NDArray[Any], text: Letters) -> tuple[int, int, int]:
    """Write the text of the lines in data[:size] to `text`; see read_fastq.

    A sequence is read as far as it goes, also if its line does not end: a line may be as long as a chromosome.
    """
    record = state[0]
    n = start = 0
    while start < size:
        if not record.within and data[start] == GREATER:
            end, _ = find_end(data, start, size, ANY)
            if end < 0:
                break
            end_read(state)
            record.reads += 1
            record.lines += 1
            text[n] = LINE_FEED
            n += 1
            start = end + 1
            continue
        end, bad = copy_line(data, start, size, text, n)
        last = strip(data, start, size if end < 0 else end)
        if 0 <= bad < last:
            return n, start, BAD_SEQUENCE
        n += last - start
        record.length += last - start
        if end < 0:
            record.within = 1
            start = last
            break
        record.within = 0
        record.lines += 1
        start = end + 1
    return n, min(start, size), COMPLETE


@jit
def end_read(state: NDArray[Any]) -> None:
    """Count the bases of the current sequence, if there is one."""
    record = state[0]
    record.bases += record.length
    record.longest = max(record.longest, record.length)
    record.length = 0


@jit_helper
def find_end(data: Letters, start: int, size: int, kind: int) -> tuple[int, int]:
    """Return the position of the next line feed, and of the first byte before it that does not fit; -1 for none."""
    bad = -1
    at = start
    while at < size:
        c = load(data, at)
        ends = mask_bits(c == LINE_FEED)
        if kind == QUALITY and bad < 0:
            unfit = mask_bits((c > BEFORE_QUALITIES) & ((c > LAST_QUALITY) ^ np.uint8(255))) ^ ALL_LANES
            if unfit != np.uint64(0):
                bad = at + first_bit(unfit)
        if ends != np.uint64(0):
            end = at + first_bit(ends)
            return (end, bad) if end < size else (-1, -1)
        at += LANES
    return -1, -1


@jit_helper
def copy_line(data: Letters, start: int, size: int, text: Letters, n: int) -> tuple[int, int]:
    """Copy a line of a sequence to text[n:], with some bytes beyond it; return what find_end returns.

    If there is no line feed, the second position may be that of a byte beyond the end.
    """
    bad = -1
    at = start
    while at < size:
        c = load(data, at)
        store(text, n + at - start, c)
        letter = c & UPPER
        fits = ((letter > BEFORE_A) & ((letter > Z) ^ np.uint8(255))) | (c == DASH) | (c == DOT) | (c == STAR)
        unfit = mask_bits(fits) ^ ALL_LANES
        if unfit != np.uint64(0):
            if bad < 0:
                bad = at + first_bit(unfit)
            ends = mask_bits(c == LINE_FEED)
            if ends != np.uint64(0):
                end = at + first_bit(ends)
                return (end, bad) if end < size else (-1, bad)
        at += LANES
    return -1, bad


@jit_helper
def strip(data: Letters, start: int, end: int) -> int:
    """Return where a line ends without the blanks at its end."""
    while end > start and is_blank(data[end - 1]):
        end -= 1
    return end


@jit_helper
def is_blank(c: np.uint8) -> bool:
    """Return whether bytes.strip() strips this character."""
    return bool(c == 32 or 9 <= c <= 13)
