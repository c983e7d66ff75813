"""Converts a stream of FASTA to text for hashing, and counts its reads, as fast as a copy.

Each record becomes an N and its bases, unchanged.  No k-mer spans an N, so that large pieces of text have the same
k-mers as the single reads.  Records are parsed as by screed (screed/fasta.py), with which `sourmash sketch` reads
FASTA: lines end at a line feed; a line is a header if '>' is its very first byte; all other lines are bases.  Blanks at
both ends of a line are stripped, as by str.strip() in ASCII; blanks inside stay, and break k-mers.

A piece of the stream may end anywhere.  The start of a header waits for its end in `_rest`.  Bases are returned at
once, except blanks at the end of the piece: they are only counted until it is known whether bases follow on the line.
"""

import numpy as np

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.sketching.known_input import known_letters
from wort_cli.pipeline.sketching.loops import Array, Loops
from wort_cli.pipeline.sketching.read_stats import STATS, ReadStats
from wort_cli.pipeline.sketching.slice_decoder import UNKNOWN

LINE_FEED = 10
MAX_HEADER = 64
"""Bytes of a header, at most.  A longer line that starts with '>' is an error, even if its end has not arrived."""

STATE = np.dtype(
    [
        *STATS,  # of the reads before the current one; the current one is counted in spots and reads
        ("length", np.int64),  # bases of the current read so far
        ("spot", np.int64),  # the number in the last header
        ("place", np.int64),
        ("blanks", np.int64),  # at the end of the last piece, after bases, on a line that may continue
    ]
)


PARSING = Loops("wort_cli.pipeline.sketching.fasta_loops", __name__)
LETTERS = Array(np.uint8)
read_lines = PARSING.function("read_lines", LETTERS, Array(np.int64), Array(STATE), LETTERS, results=3)
end_read = PARSING.function("end_read", Array(STATE))


class CompiledFastaReader:
    """Reads FASTA with compiled loops; see FastaReader.

    Headers must be `>SPOT.READ`, as fastq-dump writes them (decoding/fastq_dump.py), with ascending spots.
    """

    separator = UNKNOWN

    def __init__(self) -> None:
        self._state = np.zeros(1, STATE)
        self._state["spot"] = -1
        self._rest = b""

    @property
    def stats(self) -> ReadStats:
        """See FastaReader.  Bases include blanks inside lines, and unknown letters."""
        return ReadStats.from_record(self._state)

    def feed(self, data: bytes) -> bytes:
        """See FastaReader."""
        data = self._rest + data if self._rest else data
        text = np.empty(len(data) + 1, np.uint8)
        letters = np.frombuffer(data, np.uint8)
        ends = np.append(np.flatnonzero(letters == LINE_FEED), letters.size)
        n, done, valid = read_lines(letters, ends, self._state, text)
        if not valid or len(data) - done > MAX_HEADER:
            line = data[done:].split(b"\n", 1)[0]
            raise JobFailed(Reason.TOOL_CRASH, f"fastq-dump wrote an unknown header: {line[:80]!r}")
        self._rest = data[done:]
        return text[:n].tobytes()

    def finish(self) -> bytes:
        """See FastaReader."""
        text = self.feed(b"\n") if self._rest else b""
        end_read(self._state)
        return text


@PARSING.known_answer("2b6d452465b810d9fe12743e54d8708e0ab91ef18cd80cb8e5cf8a3076af9ab8")
def read_known_fasta() -> bytes:
    """Return the text and the counts of known reads."""
    letters, reader = known_letters(3_000), CompiledFastaReader()
    lines = [b">%d.%d\n%s\n" % (i // 2, 1 + i % 2, letters[i * i : i * i + 3 * i]) for i in range(50)]
    fasta = b"".join(lines)
    text = b"".join(reader.feed(fasta[start : start + 777]) for start in range(0, len(fasta), 777)) + reader.finish()
    return text + repr(reader.stats).encode()
