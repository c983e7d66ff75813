"""Turns a stream of FASTA into text that can be sketched in one go, and counts what passes by.

Each record becomes an N and its bases: no k-mer spans an N, so that large pieces of text have the same k-mers as the
reads one by one.  Lines are stripped and '>' begins a record only as the first byte of a line, as screed does, which is
what `sourmash sketch` reads with (screed/fasta.py).
"""

import re

from wort_cli.model.failure import JobFailed, Reason

HEADER = re.compile(rb">(\d+)\.\d+\s*")


class ReadsText:
    """Feed it FASTA in pieces of any size; it gives text in pieces, and knows what it saw.

    The decoder writes headers `>SPOT.READ` (decode.py), spots in ascending order.
    """

    def __init__(self) -> None:
        self.spots = 0
        """Spots with at least one read."""
        self.reads = 0
        self.bases = 0
        self.longest = 0
        """Bases of the longest read."""
        self._spot = b""
        self._length = 0
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """The text of the lines that `data` completes."""
        data = self._rest + data
        whole = data.rfind(b"\n") + 1
        self._rest = data[whole:]
        return self._text(data[:whole])

    def finish(self) -> bytes:
        """The text of what is left, when there is no more to feed."""
        rest, self._rest = self._rest, b""
        text = self._text(rest)
        self._end_read()
        return text

    def _text(self, data: bytes) -> bytes:
        pieces = []
        for line in data.split(b"\n"):
            if line.startswith(b">"):
                self._begin_read(line)
                pieces.append(b"N")
            else:
                bases = line.strip()
                self._length += len(bases)
                pieces.append(bases)
        return b"".join(pieces)

    def _begin_read(self, header: bytes) -> None:
        self._end_read()
        self.reads += 1
        known = HEADER.fullmatch(header)
        if known is None:
            raise JobFailed(Reason.TOOL_CRASH, f"fastq-dump wrote an unknown header: {header[:80]!r}")
        spot = known[1]
        if spot != self._spot:
            self._spot = spot
            self.spots += 1

    def _end_read(self) -> None:
        self.bases += self._length
        self.longest = max(self.longest, self._length)
        self._length = 0
