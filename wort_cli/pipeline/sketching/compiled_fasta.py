"""Turns a stream of FASTA into text that can be hashed in one go, and counts what passes by, at the speed of a copy.

Each record becomes an N and its bases, as they are: no k-mer spans an N, so that large pieces of text have the same
k-mers as the reads one by one.  What a record is, is what screed says, with which `sourmash sketch` reads (screed/
fasta.py): a line ends at a line feed; it is a header if '>' is its very first byte; all other lines are bases, without
the blanks at their ends (as str.strip() takes them off, in ASCII), and blanks inside stay, where they break k-mers.

A piece may end anywhere.  A header that is cut waits for its end (`_rest`); of bases that are cut, all is given at once
but blanks at the end of the piece, which are only counted until it is known whether bases follow on the line.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.sketching.compiled import compiled, inner

Letters = NDArray[np.uint8]

LINE_FEED, BLANK, DOT, GREATER, ZERO, NINE, N = np.frombuffer(b"\n .>09N", np.uint8)
STEP = 16
"""Bytes that are copied together."""
LONGEST_HEADER = 64
"""A header that is longer is no header: do not wait for its end."""
MOST_DIGITS = 18
"""Of a number that fits into 64 bits."""

# Where in a line the piece before this one ended.
LINE_START, BEFORE_BASES, IN_BASES = 0, 1, 2  # BEFORE_BASES: after blanks only, where '>' is a base like others

MEMORY = np.dtype(
    [
        ("spots", np.int64),
        ("reads", np.int64),
        ("bases", np.int64),  # of the reads that are over
        ("longest", np.int64),
        ("length", np.int64),  # of the read that is under way
        ("spot", np.int64),  # the number in the last header
        ("place", np.int64),
        ("blanks", np.int64),  # at the end of the last piece, after bases of a line that may go on
    ]
)


class FastaText:
    """Feed it FASTA in pieces of any size; it gives text in pieces, and knows what it saw.

    The decoder writes headers `>SPOT.READ` (decode.py), spots in ascending order.
    """

    def __init__(self) -> None:
        self._memory = np.zeros(1, MEMORY)
        self._memory["spot"] = -1
        self._rest = b""

    @property
    def spots(self) -> int:
        """Spots with at least one read."""
        return int(self._memory["spots"][0])

    @property
    def reads(self) -> int:
        """Records."""
        return int(self._memory["reads"][0])

    @property
    def bases(self) -> int:
        """Bases of all reads but the one that is under way, blanks and unknown letters among them."""
        return int(self._memory["bases"][0])

    @property
    def longest(self) -> int:
        """Bases of the longest read."""
        return int(self._memory["longest"][0])

    def feed(self, data: bytes) -> bytes:
        """The text of `data`, and of what was left of the data before; JobFailed if fastq-dump never writes such."""
        data = self._rest + data if self._rest else data
        text = np.empty(len(data) + 1, np.uint8)
        letters = np.frombuffer(data, np.uint8)
        ends = np.append(np.flatnonzero(letters == LINE_FEED), letters.size)
        n, done, known = read_lines(letters, ends, self._memory, text)
        if not known or len(data) - done > LONGEST_HEADER:
            line = data[done:].split(b"\n", 1)[0]
            raise JobFailed(Reason.TOOL_CRASH, f"fastq-dump wrote an unknown header: {line[:80]!r}")
        self._rest = data[done:]
        return text[:n].tobytes()

    def finish(self) -> bytes:
        """The text of what is left, when there is no more to feed."""
        text = self.feed(b"\n") if self._rest else b""
        end_read(self._memory)
        return text


@compiled
def read_lines(
    data: Letters,
    ends: NDArray[np.int64],
    memory: NDArray[Any],
    text: Letters,
) -> tuple[int, int, bool]:
    """Write the text of `data` to `text`, which has room for one byte more than `data`; count in `memory`.

    Returns how much text there is, how much of data is done with (all, or all but a header that is cut), and False if
    it stopped there because of a line that is unknown.
    """
    seen = memory[0]
    n = start = 0
    known = True
    for end in ends:
        if start == data.size:
            break
        if seen.place == LINE_START and data[start] == GREATER:
            if end == data.size:
                break
            spot = spot_of(data[start:end])
            if spot < 0:
                known = False
                break
            end_read(memory)
            seen.reads += 1
            if spot != seen.spot:
                seen.spot = spot
                seen.spots += 1
            text[n] = N
            n += 1
        else:
            before = n
            n = copy_bases(data[start:end], end < data.size, memory, text, n)
            if n > before and seen.reads == 0:
                known = False
                break
        start = end + 1
    return n, min(start, data.size), known


@inner
def copy_bases(line: Letters, whole: bool, memory: NDArray[Any], text: Letters, n: int) -> int:
    """Append to text[:n] the bases of a line, or of a part of it; it ends here if it is `whole`.  Returns the new n."""
    seen = memory[0]
    first, last = 0, line.size
    if seen.place != IN_BASES:
        while first < last and is_blank(line[first]):
            first += 1
    while last > first and is_blank(line[last - 1]):
        last -= 1
    if last > first:
        if seen.blanks:  # so they were inside; one breaks k-mers as well as many
            text[n] = BLANK
            n += 1
        copy(line[first:last], text[n:])
        n += last - first
        seen.length += seen.blanks + last - first
        seen.blanks = 0
        seen.place = IN_BASES
    if seen.place == IN_BASES:
        seen.blanks += line.size - last
    elif line.size:
        seen.place = BEFORE_BASES
    if whole:
        seen.place = LINE_START
        seen.blanks = 0
    return n


@inner
def is_blank(c: np.uint8) -> bool:
    """The ASCII characters that str.strip() takes off."""
    return bool(c == 32 or 9 <= c <= 13 or 28 <= c <= 31)


@inner
def copy(source: Letters, target: Letters) -> None:
    """The beginning of target becomes source; steps of a fixed length are twice as quick as a copy of slices."""
    done = 0
    while done + STEP <= source.size:
        for i in range(STEP):
            target[done + i] = source[done + i]
        done += STEP
    while done < source.size:
        target[done] = source[done]
        done += 1


@compiled
def end_read(memory: NDArray[Any]) -> None:
    """Count the bases of the read that is under way, if there is one."""
    seen = memory[0]
    seen.bases += seen.length
    seen.longest = max(seen.longest, seen.length)
    seen.length = 0


@inner
def spot_of(header: Letters) -> int:
    """The spot's number in a header `>SPOT.READ`; -1 if it is none."""
    dot = after_digits(header, 1)
    end = after_digits(header, dot + 1)
    if dot == 1 or dot > MOST_DIGITS + 1 or end <= dot + 1 or header[dot] != DOT:
        return -1
    while end < header.size and is_blank(header[end]):  # of CR LF
        end += 1
    if end < header.size:
        return -1
    spot = np.int64(0)
    for c in header[1:dot]:
        spot = spot * np.int64(10) + np.int64(c - ZERO)
    return int(spot)


@inner
def after_digits(line: Letters, begin: int) -> int:
    """The first place from `begin` on that is no digit."""
    while begin < line.size and ZERO <= line[begin] <= NINE:
        begin += 1
    return begin
