"""CompiledFastaReader parses FASTA like screed, wherever the stream is cut, and counts like PythonFastaReader."""

import importlib
import io
import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wort_cli.model.failure import JobFailed
from wort_cli.pipeline.sketching import compiled_fasta
from wort_cli.pipeline.sketching.compiled_fasta import CompiledFastaReader
from wort_cli.pipeline.sketching.python_fasta import PythonFastaReader

fasta_iter = importlib.import_module("screed.fasta").fasta_iter  # screed has no type hints
BLANKS = re.compile(rb"[ \t\n\r\x0b\x0c\x1c-\x1f]+")


def read(data: bytes, cuts: Sequence[int] = ()) -> tuple[bytes, CompiledFastaReader]:
    """Feed `data`, cut into pieces at `cuts`, and return the text and the reader."""
    reader = CompiledFastaReader()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    text = b"".join(reader.feed(data[a:b]) for a, b in pairwise(places))
    return text + reader.finish(), reader


def squeeze(text: bytes) -> bytes:
    """Replace each run of blanks by one, because their number does not matter for k-mers."""
    return BLANKS.sub(b" ", text)


bases = st.text("ACGTacgtNnRY", max_size=80)
blanks = st.text(" \t\r\x0b\x0c", max_size=3)
inner = st.lists(bases, min_size=1, max_size=3).map(" ".join) | st.just(">") | st.just(" >1.1") | bases
lines = st.builds(lambda a, b, c: a + b + c, blanks, inner, blanks).filter(lambda line: not line.startswith(">"))
ends = st.sampled_from(["\n", "\n", "\r\n"])
line_text = st.builds(lambda line, end: line + end, lines, ends)
headers = st.builds(
    lambda spot, read, rest, end: f">{spot}.{read}{rest}{end}",
    st.integers(1, 4) | st.integers(1, 10**12),
    st.integers(1, 3),
    st.sampled_from(["", "", " ", "\t"]),
    ends,
)
records = st.builds(lambda h, body: h + "".join(body), headers, st.lists(line_text, max_size=5))
files = st.builds(
    lambda body, cut: body[:-1].encode() if cut else body.encode(),
    st.lists(records, max_size=8).map("".join),
    st.booleans(),
)
cuts = st.lists(st.integers(0, 600), max_size=12)


@given(data=files, cuts=cuts)
@settings(max_examples=200, deadline=None)
def test_text_and_counts_equal_those_of_python_reader(data: bytes, cuts: list[int]) -> None:
    expected = PythonFastaReader()
    expected_text = expected.feed(data) + expected.finish()
    text, reader = read(data, cuts)
    assert squeeze(text) == squeeze(expected_text)
    assert reader.stats == expected.stats
    assert read(data)[0] == expected_text


@given(data=files, cuts=cuts)
@settings(max_examples=200, deadline=None)
def test_records_equal_those_of_screed(data: bytes, cuts: list[int]) -> None:
    sequences = [record.sequence.encode() for record in fasta_iter(io.BytesIO(data))]
    text, reader = read(data, cuts)
    assert squeeze(text) == squeeze(b"".join(b"N" + sequence for sequence in sequences))
    assert (reader.stats.reads, reader.stats.bases) == (len(sequences), sum(map(len, sequences)))


EDGE_CASES = [
    b">1.1\nACGT\n>1.2\r\nac gt\r\n\r\n  TT \t\n>2.1\n>3.1 \n>\n"[:-2],
    b">1.1\nAC \x1c\x1f\nG\x0b\x0cT\n >A\n\t\n>1.2\nA",
    b">1.1\n   \n \r\nACGT   \r",
    b">1.1\nA      \t    C\n      G\n",
    b">1.1",
    b">1.1\n",
    b"",
    b"\n \n>7.1\nA\n",
]


@pytest.mark.parametrize("data", EDGE_CASES)
def test_cuts_do_not_change_text_and_counts(data: bytes) -> None:
    whole, reader = read(data)
    sequences = [r.sequence.encode() for r in fasta_iter(io.BytesIO(data.lstrip(b"\n ")))]
    assert whole == b"".join(b"N" + sequence for sequence in sequences)
    for a in range(len(data) + 1):
        for b in range(a, len(data) + 1):
            text, other = read(data, [a, b])
            assert squeeze(text) == squeeze(whole)
            assert other.stats == reader.stats
    text, other = read(data, range(len(data)))
    assert (squeeze(text), other.stats) == (squeeze(whole), reader.stats)


@pytest.mark.parametrize(
    ("header", "spot"),
    [
        (b">12.1", 12),
        (b">7.2\r", 7),
        (b">7.2 \t", 7),
        (b">1.10", 1),
        (b">0.0", 0),
        (b">" + b"9" * 18 + b".1", 10**18 - 1),
    ],
)
def test_valid_header_has_spot_number(header: bytes, spot: int) -> None:
    data = header + b"\nACGT\n"
    text, reader = read(data)
    expected = PythonFastaReader()
    expected.feed(data)
    assert (text, reader.stats.spots) == (b"NACGT", 1)
    assert int(reader._state["spot"][0]) == spot == int(expected._spot)


@pytest.mark.parametrize(
    "header",
    [b">", b">1", b">1.", b">.1", b">1..1", b">a.1", b">1.a", b">1.1a", b">1a.1", b"> 1.1", b">1 .1", b">1. 1",
     b">-1.1", b">1.1 1", b">1.1.1", b">SRR1", b">SRR1.1", b">SRR1.1.1", b">SRR1.1.1 1 length=4", b">\xb9.1"],
)  # fmt: skip
def test_invalid_header_fails_wherever_it_is_cut(header: bytes) -> None:
    with pytest.raises(JobFailed, match="unknown header"):
        read_with_python(header)
    for cut in range(len(header) + 2):
        with pytest.raises(JobFailed, match="unknown header") as failure:
            read(b">1.1\nA\n" + header + b"\nACGT\n", [7 + cut])
        assert repr(header) in failure.value.failure.detail


def test_header_with_too_many_digits_fails() -> None:
    with pytest.raises(JobFailed, match="unknown header"):
        read(b">" + b"1" * 19 + b".1\nA\n")


def read_with_python(header: bytes) -> None:
    reader = PythonFastaReader()
    reader.feed(header + b"\n")


def test_invalid_header_at_end_of_stream_fails() -> None:
    with pytest.raises(JobFailed, match="unknown header"):
        read(b">1.1\nA\n>SRR1")


@pytest.mark.parametrize("data", [b"ACGT\n>1.1\nA\n", b" ACGT", b"@1.1\nACGT\n+\nIIII\n"])
def test_bases_before_first_header_fail(data: bytes) -> None:
    """screed raises an error as well: "unknown file format"."""
    with pytest.raises(JobFailed, match="unknown header"):
        read(data)


def test_header_without_end_fails() -> None:
    reader = CompiledFastaReader()
    reader.feed(b">" + b"x" * (compiled_fasta.MAX_HEADER - 1))
    with pytest.raises(JobFailed, match="unknown header"):
        reader.feed(b"xx")


def test_text_is_returned_before_the_line_ends() -> None:
    reader = CompiledFastaReader()
    reader.feed(b">1.1\n")
    assert [len(reader.feed(b"ACGT" * 1000)) for _ in range(5)] == [4000] * 5
    assert (reader.stats.bases, reader.finish(), reader.stats.bases, reader.stats.longest) == (0, b"", 20_000, 20_000)
