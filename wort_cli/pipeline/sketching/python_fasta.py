"""Converts a stream of FASTA to text for hashing, and counts its reads.  compiled_fasta.py does the same, faster.

Each record becomes an N, or another separator, and its bases.  No k-mer spans an N, so that the text has the same
k-mers as the single reads.  Lines are stripped, and '>' starts a record only as the first byte of a line, as in screed
(screed/fasta.py), with which `sourmash sketch` reads FASTA.
"""

import re

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.slice_decoder import UNKNOWN

HEADER = re.compile(rb">(\d+)\.\d+\s*")


class PythonFastaReader:
    """Reads FASTA in plain Python; see FastaReader.

    Headers must be `>SPOT.READ`, as fastq-dump writes them (decoding/fastq_dump.py), with ascending spots.
    """

    def __init__(self, separator: bytes = UNKNOWN) -> None:
        self.separator = separator
        self._spots = 0
        self._reads = 0
        self._bases = 0
        """Bases of the reads before the current one."""
        self._longest = 0
        self._spot = b""
        """The spot number in the last header."""
        self._length = 0
        """Bases of the current read so far."""
        self._rest = b""
        """The start of a line whose end has not arrived yet."""

    @property
    def stats(self) -> ReadStats:
        """See FastaReader."""
        return ReadStats(self._spots, self._reads, self._bases, self._longest)

    def feed(self, data: bytes) -> bytes:
        """Return the text of the lines that `data` completes."""
        data = self._rest + data
        whole = data.rfind(b"\n") + 1
        self._rest = data[whole:]
        return self._text(data[:whole])

    def finish(self) -> bytes:
        """Return the rest of the text, at the end of the stream."""
        rest, self._rest = self._rest, b""
        text = self._text(rest)
        self._end_read()
        return text

    def _text(self, data: bytes) -> bytes:
        pieces = []
        for line in data.split(b"\n"):
            if line.startswith(b">"):
                self._start_read(line)
                pieces.append(self.separator)
            else:
                bases = line.strip()
                self._length += len(bases)
                pieces.append(bases)
        return b"".join(pieces)

    def _start_read(self, header: bytes) -> None:
        self._end_read()
        match = HEADER.fullmatch(header)
        if match is None:
            raise JobFailed(Reason.TOOL_CRASH, f"fastq-dump wrote an unknown header: {header[:80]!r}")
        self._reads += 1
        spot = match[1]
        if spot != self._spot:
            self._spot = spot
            self._spots += 1

    def _end_read(self) -> None:
        self._bases += self._length
        self._longest = max(self._longest, self._length)
        self._length = 0
