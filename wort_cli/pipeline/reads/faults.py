"""Faults of files of reads: one table, with a recorded example for each row.

A signature is of all reads of its files or does not exist, so that each of these ends the job.  `sourmash sketch`
skips some of them without a word: it stops reading at an empty line between two records of FASTQ.
"""

import bz2
import gzip
import lzma
from dataclasses import dataclass
from enum import IntEnum

from wort_cli.model.failure import JobFailed, Reason


class Fault(IntEnum):
    """The faults.  parse_loops.py returns those from 1 to 19 as numbers."""

    NONE = 0
    NO_AT = 1
    BLANK_LINE = 2
    BAD_SEQUENCE = 3
    BAD_QUALITY = 4
    QUALITY_LENGTH = 5
    CUT_OFF = 20
    NUL = 21
    CARRIAGE_RETURN = 22
    NOT_READS = 23
    MIXED = 24
    TOO_LONG = 25
    AMINO_ACIDS = 26
    EMPTY = 30
    TRUNCATED = 31
    DAMAGED = 32
    TRAILING = 33


@dataclass(frozen=True)
class Row:
    """A fault: how its sentence continues after the place, and a file that has it."""

    sentence: str
    example: bytes
    line: int
    """The line of the example that the error names; 0 if the fault is of the whole file."""


RECORD = b"@r1\nACGT\n+\nIIII\n"
PACKED = gzip.compress(RECORD, mtime=0)
TABLE: dict[Fault, Row] = {
    Fault.NO_AT: Row("a record of FASTQ begins with '@'", RECORD + b"r2\nACGT\n+\nIIII\n", 5),
    Fault.BLANK_LINE: Row("an empty line between two records", RECORD + b"\n@r2\nACGT\n+\nIIII\n", 5),
    Fault.BAD_SEQUENCE: Row(
        "a sequence has a character that is neither a letter nor one of - . * (or the line `+` of FASTQ is missing)",
        b"@r1\nACGT\nIIII\n@r2\nACGT\nIIII\n",
        4,
    ),
    Fault.BAD_QUALITY: Row("the qualities have a character outside of ! to ~", RECORD + b"@r2\nACGT\n+\nII\xffI\n", 8),
    Fault.QUALITY_LENGTH: Row(
        "the qualities of a read have another length than its sequence", b"@r1\nACGT\n+\nIIIII\n", 4
    ),
    Fault.CUT_OFF: Row("the file ends within a record", RECORD + b"@r2\nACGT\n+\n", 7),
    Fault.NUL: Row("a NUL character", b">r1\nACGT\n>r2\nAC\0GT\n", 4),
    Fault.CARRIAGE_RETURN: Row("a carriage return that is not at the end of a line", b">r1\rACGT\r>r2\rACGT\r\n", 1),
    Fault.NOT_READS: Row("the file is neither FASTA nor FASTQ: it begins with neither '>' nor '@'", b"ACGT\nACGT\n", 1),
    Fault.MIXED: Row("the file has records of both FASTA and FASTQ", RECORD + b">r2\nACGT\n", 5),
    Fault.TOO_LONG: Row("a record of FASTQ, or a header, is longer than wort reads", b"", 0),
    Fault.AMINO_ACIDS: Row(
        "the sequences are amino acids, and wort sketches DNA; `sourmash sketch protein` sketches amino acids",
        b">p1 crambin\nTTCCPSIVARSNFNVCRLPGTPEALCATYTGCIIIPGATCPGDYAN\n",
        0,
    ),
    Fault.EMPTY: Row("the file is empty", b"", 0),
    Fault.TRUNCATED: Row("the compressed data end too early: the file is truncated", PACKED[:-3], 0),
    Fault.DAMAGED: Row("the compressed data are damaged", PACKED[:-6] + b"\0\0" + PACKED[-4:], 0),
    Fault.TRAILING: Row("bytes that are not compressed follow the compressed data", PACKED + b"garbage", 0),
}
MORE_EXAMPLES: tuple[tuple[Fault, bytes, int], ...] = (
    (Fault.CUT_OFF, RECORD + b"@r2\nAC", 6),
    (Fault.CUT_OFF, b"@r1", 1),
    (Fault.BLANK_LINE, b"@r1\r\nACGT\r\n+\r\nIIII\r\n\r\n@r2\r\nACGT\r\n+\r\nIIII\r\n", 5),
    (Fault.QUALITY_LENGTH, b"@r1\nACGT\n+\nIII\n@r2\nACGT\n+\nIIII\n", 4),
    (Fault.BAD_SEQUENCE, b">r1\nACGT\nAC GT\n", 3),
    (Fault.MIXED, b">r1\nACGT\n" + RECORD, 3),
    (Fault.MIXED, b"@r1\nACGT\n+\nIIII\n>r2\nACGT\n>r3\nACGT\n", 5),
    (Fault.NUL, RECORD + b"\0" * 100, 5),
    (Fault.TRUNCATED, bz2.compress(RECORD)[:-2], 0),
    (Fault.DAMAGED, bz2.compress(RECORD)[:10] + bytes(4) + bz2.compress(RECORD)[14:], 0),
    (Fault.TRAILING, bz2.compress(RECORD) + b"garbage", 0),
    (Fault.TRUNCATED, lzma.compress(RECORD)[:-2], 0),
    (Fault.TRAILING, lzma.compress(RECORD) + b"garbage", 0),
    (Fault.EMPTY, gzip.compress(b"", mtime=0), 0),
)
"""Other files with the same faults."""


class BadReads(Exception):
    """A file of reads has a fault; `line` is the number of its line, 0 if it is of the whole file."""

    def __init__(self, fault: Fault, line: int = 0) -> None:
        super().__init__(fault.name)
        self.fault, self.line = fault, line

    def of(self, path: str) -> JobFailed:
        """Return the failure of the job that reads the file at `path`."""
        place = f"{path}, line {self.line}" if self.line else path
        return JobFailed(Reason.BAD_READS, f"{place}: {TABLE[self.fault].sentence}")
