"""PythonFastaReader returns text that has the k-mers of the reads, and counts spots, reads and bases."""

import pytest

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.sketching.python_fasta import PythonFastaReader
from wort_cli.pipeline.sketching.read_stats import ReadStats

PAIRED = b">1.1\nACGT\n>1.2\nGGG\n>7.1\nTT\n"


def read(*chunks: bytes) -> tuple[bytes, PythonFastaReader]:
    reads = PythonFastaReader()
    return b"".join([*(reads.feed(chunk) for chunk in chunks), reads.finish()]), reads


def test_each_read_becomes_n_and_its_bases() -> None:
    text, reads = read(PAIRED)
    assert text == b"NACGTNGGGNTT"
    assert reads.stats == ReadStats(2, 3, 9, 4)


@pytest.mark.parametrize("border", range(len(PAIRED) + 1))
def test_cuts_do_not_change_text_and_counts(border: int) -> None:
    text, reads = read(PAIRED[:border], PAIRED[border:])
    assert text == b"NACGTNGGGNTT"
    assert reads.stats == ReadStats(2, 3, 9, 4)


@pytest.mark.parametrize(
    ("stream", "text", "counts"),
    [
        (b"", b"", (0, 0, 0, 0)),
        (b"\n\n", b"", (0, 0, 0, 0)),
        (b">1.1\nAC\nGT\n\nTT\n", b"NACGTTT", (1, 1, 6, 6)),
        (b">1.1\r\nACGT\r\n", b"NACGT", (1, 1, 4, 4)),
        (b">1.1\n \tACGT \n", b"NACGT", (1, 1, 4, 4)),
        (b">1.1\nAC GT\n", b"NAC GT", (1, 1, 5, 5)),
        (b">1.1\nAC>GT\n", b"NAC>GT", (1, 1, 5, 5)),
        (b">1.1\n>1.2\n>2.1\nA\n", b"NNNA", (2, 3, 1, 1)),
        (b">1.1\nACGTN", b"NACGTN", (1, 1, 5, 5)),
        (b">1.1\nacgtRY\n", b"NacgtRY", (1, 1, 6, 6)),
        (b">1.1 \t\nA\n", b"NA", (1, 1, 1, 1)),
        (b">12.1\n >12.2\nA\n", b"N>12.2A", (1, 1, 6, 6)),
    ],
)
def test_lines_are_parsed_like_in_screed(stream: bytes, text: bytes, counts: tuple[int, ...]) -> None:
    assert read(stream)[0] == text
    assert read(stream)[1].stats == ReadStats(*counts)


@pytest.mark.parametrize(
    "header",
    [b">", b"> 1.1", b">1", b">1.", b">.1", b">x.1", b">1.x", b">1.1.1", b">1.1x", b">1 .1", b">1.1 x", b">-1.1",
     b">SRR1.1.1", b">SRR1.1.1 1 length=4", b">my file.1.1", b">\xc2\xb9.1", b">\n"],
)  # fmt: skip
def test_invalid_header_fails(header: bytes) -> None:
    with pytest.raises(JobFailed, match="unknown header") as failure:
        read(header + b"\nACGT\n")
    assert failure.value.failure.reason is Reason.TOOL_CRASH
    assert repr(header.rstrip(b"\n")) in failure.value.failure.detail


@pytest.mark.parametrize("spots", [(1, 2), (7, 8), (9, 10), (99_999_999, 100_000_000), (1, 11)])
def test_spot_with_two_reads_is_counted_once(spots: tuple[int, int]) -> None:
    stream = b"".join(b">%d.%d\nAC\n" % (spot, read) for spot in spots for read in (1, 2))
    text, reads = read(stream)
    assert text == b"NACNACNACNAC"
    assert reads.stats == ReadStats(2, 4, 8, 2)
