"""Converts FASTA and FASTQ to text for hashing, and counts reads, as fast as a copy; strictly.

Each record becomes a line feed and its sequence: no k-mer spans a line feed.  Records are those that screed reads, with
which `sourmash sketch` reads files: a sequence, and the qualities of FASTQ, may have several lines; blanks at the end
of a line are stripped, so that CR LF ends a line too.  What screed accepts and no tool writes on purpose is an error
(faults.py).  A sequence of no letters is accepted, as trimmers write it; screed fails on it in FASTQ.

python_parser.py does the same in plain Python, slowly.
"""

import re
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.reads.faults import BadReads, Fault
from wort_cli.pipeline.sketching.known_input import known_letters
from wort_cli.pipeline.sketching.loops import INT, Array, Loops
from wort_cli.pipeline.sketching.read_stats import STATS, ReadStats

MARGIN = 32
"""Bytes beyond the end of an array that the loops access."""
MAX_RECORD = 1 << 26
"""Bytes of a record of FASTQ, or of a header, at most."""
LONE_RETURN = re.compile(rb"\r[^\r\n]")
FASTA, FASTQ = "FASTA", "FASTQ"

STATE = np.dtype(
    [
        *STATS,
        ("lines", np.int64),  # that were read
        ("length", np.int64),  # bases of the current sequence of FASTA so far
        ("within", np.int64),  # 1 if the next byte continues a line of such a sequence
        ("blank", np.int64),  # 1 if the last line was empty, after a record of FASTQ
    ]
)

PARSING = Loops("wort_cli.pipeline.reads.parse_loops", __name__)
LETTERS = Array(np.uint8)
read_fastq = PARSING.function("read_fastq", LETTERS, INT, Array(STATE), LETTERS, results=3)
read_fasta = PARSING.function("read_fasta", LETTERS, INT, Array(STATE), LETTERS, results=3)
end_read = PARSING.function("end_read", Array(STATE))

Text = NDArray[np.uint8]


class ReadsParser(Protocol):
    """Converts a stream of FASTA or FASTQ, fed in pieces of any size, to text for hashing."""

    format: str
    """FASTA or FASTQ; empty before the first byte."""

    @property
    def stats(self) -> ReadStats:
        """Counts of the reads so far."""

    def feed(self, data: bytes) -> Text:
        """Return text that `data` completes.  Raises BadReads."""

    def finish(self) -> Text:
        """Return the rest of the text, at the end of the file.  Raises BadReads."""


class CompiledParser:
    """Parses with compiled loops; see ReadsParser."""

    def __init__(self) -> None:
        self.format = ""
        self._state = np.zeros(1, STATE)
        self._pending: list[bytes] = []
        """Bytes that have arrived since the last parsing."""
        self._size = 0
        """The bytes of it."""
        self._wanted = 1
        """Bytes that must have arrived before it is worth parsing again."""

    @property
    def stats(self) -> ReadStats:
        """See ReadsParser."""
        return ReadStats.from_record(self._state)

    def feed(self, data: bytes) -> Text:
        """See ReadsParser."""
        self._pending.append(data)
        self._size += len(data)
        if self._size < self._wanted:
            return np.empty(0, np.uint8)
        return self._parse()

    def finish(self) -> Text:
        """See ReadsParser."""
        if not self.format and not self._size:
            raise BadReads(Fault.EMPTY)
        texts = []
        if self._size and not self._pending[-1].endswith(b"\n"):
            self._pending.append(b"\n")
        texts.append(self._parse())
        if rest := b"".join(self._pending):
            lines = int(self._state["lines"][0])
            try:
                self._pending = [rest, b"\n"]  # the qualities of no letters, without a line feed
                texts.append(self._parse())
            except BadReads:
                pass
            if self._size:
                raise BadReads(Fault.CUT_OFF, lines + rest.count(b"\n"))
        if self.format == FASTA:
            end_read(self._state)
        self._state["spots"] = self._state["reads"]
        return np.concatenate(texts)

    def _parse(self) -> Text:
        """Parse what has arrived; what is incomplete waits for more."""
        data = b"".join(self._pending)
        nul = data.find(b"\0")
        content = data if nul < 0 else data[:nul]
        if not self.format and content:
            self.format = format_of(content)
        if b"\r" in content and (found := LONE_RETURN.search(content)):
            _, done = self._read(content[: found.start()])
            raise BadReads(Fault.CARRIAGE_RETURN, self._line() + content.count(b"\n", done, found.start()))
        text, done = self._read(content)
        if nul >= 0:
            raise BadReads(Fault.NUL, self._line() + data.count(b"\n", done, nul))
        rest = data[done:]
        if len(rest) > MAX_RECORD:
            raise BadReads(Fault.TOO_LONG, self._line())
        self._pending, self._size, self._wanted = [rest] if rest else [], len(rest), 2 * len(rest) + 1
        return text

    def _read(self, content: bytes) -> tuple[Text, int]:
        """Return the text of the complete part of `content`, and how many bytes that is; raise BadReads."""
        letters = np.frombuffer(content + bytes(MARGIN), np.uint8)
        text = np.empty(letters.size + MARGIN, np.uint8)
        read = read_fasta if self.format == FASTA else read_fastq
        n, done, fault = read(letters, len(content), self._state, text)
        if fault:
            raise BadReads(explained(Fault(fault), self.format, content[done : done + 1]), self._line())
        return text[:n], done

    def _line(self) -> int:
        """Return the number of the first line that was not read."""
        return int(self._state["lines"][0]) + 1


def format_of(content: bytes) -> str:
    """Return the format of a file that begins with `content`; raise BadReads if it is neither."""
    if content.startswith(b">"):
        return FASTA
    if content.startswith(b"@"):
        return FASTQ
    raise BadReads(Fault.NOT_READS, 1)


def explained(fault: Fault, file_format: str, first: bytes) -> Fault:
    """Return what is wrong with a line that begins with `first`: it may be of the other format."""
    other = (fault is Fault.NO_AT and first == b">") or (
        fault is Fault.BAD_SEQUENCE and file_format == FASTA and first == b"@"
    )
    return Fault.MIXED if other else fault


@PARSING.known_answer("dddddab4c8d83231c3d1482d55b47e7ec2bca5a93c8836d10b320af344d75ff8")
def parse_known_reads() -> bytes:
    """Return the text and the counts of known reads."""
    letters = known_letters(6_000)
    reads = [letters[i * i : i * i + 3 * i] for i in range(50)]
    fastq = b"".join(b"@%d\n%s\n+\n%s\n" % (i, read, b"~" * len(read)) for i, read in enumerate(reads))
    fasta = b"".join(b">%d\r\n%s\r\n%s\n" % (i, read[:33], read[33:]) for i, read in enumerate(reads))
    result = b""
    for file in (fastq, fasta):
        parser = CompiledParser()
        texts = [parser.feed(file[start : start + 777]) for start in range(0, len(file), 777)]
        result += b"".join(text.tobytes() for text in [*texts, parser.finish()]) + repr(parser.stats).encode()
    return result
