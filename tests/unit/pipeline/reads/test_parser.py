"""Tests of both parsers of FASTA and FASTQ: what they accept, and each fault of the table with its line."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from screed.fasta import fasta_iter
from screed.fastq import fastq_iter

from wort_cli.pipeline.reads import parser as parser_module
from wort_cli.pipeline.reads.faults import MORE_EXAMPLES, TABLE, BadReads, Fault
from wort_cli.pipeline.reads.parser import CompiledParser, ReadsParser
from wort_cli.pipeline.reads.python_parser import PythonParser

PARSERS: list[type[ReadsParser]] = [CompiledParser, PythonParser]
OF_OTHERS = (Fault.TRUNCATED, Fault.DAMAGED, Fault.TRAILING, Fault.AMINO_ACIDS)
"""Faults that are found before and after parsing."""
EXAMPLES = [
    (fault, data, line)
    for fault, data, line in [*((f, row.example, row.line) for f, row in TABLE.items()), *MORE_EXAMPLES]
    if fault not in OF_OTHERS and not data.startswith(b"\x1f\x8b") and fault is not Fault.TOO_LONG
]


def parsed(kind: type[ReadsParser], data: bytes, step: int = 1 << 20) -> tuple[bytes, tuple[int, int, int]]:
    """Return the text of a file that is fed in pieces, and the counts of reads, bases, and of the longest read."""
    parser = kind()
    texts = [parser.feed(data[start : start + step]) for start in range(0, len(data), step)]
    text = b"".join(part.tobytes() for part in [*texts, parser.finish()])
    return text, (parser.stats.reads, parser.stats.bases, parser.stats.longest)


def outcome(kind: type[ReadsParser], data: bytes, step: int) -> object:
    try:
        return parsed(kind, data, step)
    except BadReads as bad:
        return bad.fault, bad.line


def sequences(data: bytes) -> list[bytes]:
    """Return the sequences that screed reads."""
    read = fasta_iter if data.startswith(b">") else fastq_iter
    return [record.sequence.encode() for record in read(io.BytesIO(data))]


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_fault_is_found_with_its_line(kind: type[ReadsParser], number: int) -> None:
    fault, data, line = EXAMPLES[number]
    assert [outcome(kind, data, step) for step in (1, 3, 1000)] == [(fault, line)] * 3


def test_table_has_every_fault() -> None:
    assert set(TABLE) == set(Fault) - {Fault.NONE}
    assert all(row.sentence.isprintable() for row in TABLE.values())


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize(
    "data",
    [
        b"@r1\nACGT\n+\nIIII\n",
        b"@r1\nACGT\n+\nIIII",
        b"@r1\r\nACGT\r\n+r1\r\n@III\r\n\r\n",
        b"@r1\nAC\nGT\n+\nI@\nII\n@r2\nNNNN\n+\n>+@!\n",
        b">r1\nACGTACGT\nACG\n\n>r2\n>r3\nac-g.t*",
        b">r1 \xff\xfe\nACGT  \n" + b"ACGT" * 1000 + b"\r\n",
        b"@r1\nACGT\n+\nIIII\n\n\n",
    ],
    ids=["plain", "no-end", "crlf", "lines", "fasta", "long-line", "blank-end"],
)
def test_sequences_are_those_of_screed(kind: type[ReadsParser], data: bytes) -> None:
    header = data.replace(b"\xff\xfe", b"")  # screed wants UTF-8
    wanted = b"".join(b"\n" + sequence for sequence in sequences(header))
    assert [parsed(kind, data, step)[0] for step in (1, 5, 1000)] == [wanted] * 3


@pytest.mark.parametrize("kind", PARSERS)
def test_empty_sequences_are_accepted(kind: type[ReadsParser]) -> None:
    data = b"@r1\n\n+\n\n@r2\nACGT\n+\nIIII\n@r3\n\n+\n"
    assert parsed(kind, data, 7) == (b"\n\nACGT\n", (3, 4, 4))


def test_endless_header_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser_module, "MAX_RECORD", 1000)
    for start in (b">r1\nACGT\n>", b"@r1\nACGT\n+\nIIII\n@r2\n"):
        parser = CompiledParser()
        parser.feed(start)
        with pytest.raises(BadReads) as bad:
            for _ in range(10):
                parser.feed(b"A" * 1000)
        assert bad.value.fault is Fault.TOO_LONG


LINES = st.sampled_from([b"@r", b">r", b"+", b"ACGT", b"NNN", b"IIII", b"II", b"", b"@III", b"A C", b"\r", b"AC\r"])


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=12), st.integers(1, 20), st.booleans())
def test_both_parsers_agree(lines: list[bytes], step: int, ends: bool) -> None:
    data = b"\n".join(lines) + b"\n" * ends
    compiled, plain = (outcome(kind, data, step) for kind in PARSERS)
    assert compiled == plain
