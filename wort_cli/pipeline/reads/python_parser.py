"""Parses FASTA and FASTQ in plain Python, line by line.

For the engine `sourmash`, which shares no code with the kernel.

The grammar is that of parser.py.  A file is parsed as it arrives; only the current record is in memory.
"""

import re

import numpy as np

from wort_cli.pipeline.reads.faults import BadReads, Fault
from wort_cli.pipeline.reads.parser import FASTA, Text, explained, format_of
from wort_cli.pipeline.sketching.read_stats import ReadStats

BLANKS = b" \t\n\v\f\r"
SEQUENCE = re.compile(rb"[A-Za-z.*-]*")
QUALITIES = re.compile(rb"[!-~]*")


class PythonParser:
    """Parses line by line; see ReadsParser."""

    def __init__(self) -> None:
        self.format = ""
        self._rest = b""
        """A line that has not ended yet."""
        self._line = 0
        """The number of the current line."""
        self._reads = self._bases = self._longest = 0
        self._text: list[bytes] = []
        self._expected = "header"
        """The kind of the next line of FASTQ: header, sequence or qualities."""
        self._sequence = b""
        """The sequence of the current FASTQ record."""
        self._length = 0
        """Qualities of that record, or letters of the current record of FASTA."""
        self._blank = 0
        """The number of an empty line after the last record."""

    @property
    def stats(self) -> ReadStats:
        """See ReadsParser."""
        return ReadStats(self._reads, self._reads, self._bases, self._longest)

    def feed(self, data: bytes) -> Text:
        """See ReadsParser."""
        data = self._rest + data
        if not self.format and data and not data.startswith(b"\0"):
            self.format = format_of(data)
        *lines, self._rest = data.split(b"\n")
        for line in lines:
            self._take(line)
        if b"\0" in self._rest:
            raise BadReads(Fault.NUL, self._line + 1)
        return self._taken()

    def finish(self) -> Text:
        """See ReadsParser."""
        if not self.format and not self._rest:
            raise BadReads(Fault.EMPTY)
        if self._rest:
            self._take(self._rest)
        if self.format == FASTA:
            self._end_sequence()
        elif self._expected == "qualities" and not self._sequence:
            self._end_record()
        elif self._expected != "header":
            raise BadReads(Fault.CUT_OFF, self._line)
        return self._taken()

    def _taken(self) -> Text:
        text, self._text = b"".join(self._text), []
        return np.frombuffer(text, np.uint8)

    def _take(self, line: bytes) -> None:
        self._line += 1
        if b"\0" in line:
            raise BadReads(Fault.NUL, self._line)
        content = line.rstrip(BLANKS)
        if b"\r" in content:
            raise BadReads(Fault.CARRIAGE_RETURN, self._line)
        if self.format == FASTA:
            self._take_fasta(line, content)
        else:
            {"header": self._take_header, "sequence": self._take_sequence, "qualities": self._take_qualities}[
                self._expected
            ](content)

    def _fail(self, fault: Fault, content: bytes, line: int = 0) -> BadReads:
        return BadReads(explained(fault, self.format, content[:1]), line or self._line)

    def _take_fasta(self, line: bytes, content: bytes) -> None:
        if line.startswith(b">"):
            self._end_sequence()
            self._reads += 1
            self._text.append(b"\n")
            return
        if not SEQUENCE.fullmatch(content):
            raise self._fail(Fault.BAD_SEQUENCE, content)
        self._text.append(content)
        self._length += len(content)

    def _end_sequence(self) -> None:
        self._bases += self._length
        self._longest = max(self._longest, self._length)
        self._length = 0

    def _take_header(self, content: bytes) -> None:
        if not content:
            self._blank = self._line
            return
        if self._blank:
            raise BadReads(Fault.BLANK_LINE, self._blank)
        if not content.startswith(b"@"):
            raise self._fail(Fault.NO_AT, content)
        self._expected, self._sequence, self._length = "sequence", b"", 0

    def _take_sequence(self, content: bytes) -> None:
        if content.startswith(b"+"):
            self._expected = "qualities"
        elif SEQUENCE.fullmatch(content):
            self._sequence += content
        else:
            raise self._fail(Fault.BAD_SEQUENCE, content)

    def _take_qualities(self, content: bytes) -> None:
        total = self._length + len(content)
        if not content and self._sequence:
            raise BadReads(Fault.QUALITY_LENGTH, self._line)
        if self._length and content.startswith(b"@") and total != len(self._sequence):
            raise BadReads(Fault.QUALITY_LENGTH, self._line - 1)
        if not QUALITIES.fullmatch(content):
            raise BadReads(Fault.BAD_QUALITY, self._line)
        if total > len(self._sequence):
            raise BadReads(Fault.QUALITY_LENGTH, self._line)
        self._length = total
        if total == len(self._sequence):
            self._end_record()

    def _end_record(self) -> None:
        self._text += [b"\n", self._sequence]
        self._reads += 1
        self._bases += len(self._sequence)
        self._longest = max(self._longest, len(self._sequence))
        self._expected = "header"
