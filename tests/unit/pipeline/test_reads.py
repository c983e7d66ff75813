"""FASTA becomes text that has the k-mers of its reads; spots, reads and bases are counted."""

import pytest

from wort_cli.failure import JobFailed, Reason
from wort_cli.pipeline.reads import ReadsText

PAIRED = b">SRR1.1.1 1 length=4\nACGT\n>SRR1.1.2 1 length=3\nGGG\n>SRR1.7.1 7 length=2\nTT\n"


def fed(*chunks: bytes, archive: str = "SRR1") -> tuple[bytes, ReadsText]:
    reads = ReadsText(archive)
    return b"".join([*(reads.feed(chunk) for chunk in chunks), reads.finish()]), reads


def counted(reads: ReadsText) -> tuple[int, int, int, int]:
    return reads.spots, reads.reads, reads.bases, reads.longest


def test_each_read_is_an_n_and_its_bases() -> None:
    text, reads = fed(PAIRED)
    assert text == b"NACGTNGGGNTT"
    assert counted(reads) == (2, 3, 9, 4)


@pytest.mark.parametrize("border", range(len(PAIRED) + 1))
def test_where_the_stream_is_cut_does_not_matter(border: int) -> None:
    text, reads = fed(PAIRED[:border], PAIRED[border:])
    assert text == b"NACGTNGGGNTT"
    assert counted(reads) == (2, 3, 9, 4)


@pytest.mark.parametrize(
    ("stream", "text", "counts"),
    [
        (b"", b"", (0, 0, 0, 0)),
        (b"\n\n", b"", (0, 0, 0, 0)),
        (b">S.1.1\nAC\nGT\n\nTT\n", b"NACGTTT", (1, 1, 6, 6)),
        (b">S.1.1\r\nACGT\r\n", b"NACGT", (1, 1, 4, 4)),
        (b">S.1.1\n \tACGT \n", b"NACGT", (1, 1, 4, 4)),
        (b">S.1.1\nAC GT\n", b"NAC GT", (1, 1, 5, 5)),
        (b">S.1.1\nAC>GT\n", b"NAC>GT", (1, 1, 5, 5)),
        (b">S.1.1\n>S.1.2\n>S.2.1\nA\n", b"NNNA", (2, 3, 1, 1)),
        (b">S.1.1\nACGTN", b"NACGTN", (1, 1, 5, 5)),
        (b">S.1.1\nacgtRY\n", b"NacgtRY", (1, 1, 6, 6)),
        (b">S.1.1 >x\nA\n", b"NA", (1, 1, 1, 1)),
        (b">a.b.c.12.1 x.y.z length=1\nA\n", b"NA", (1, 1, 1, 1)),
    ],
)
def test_lines_are_read_as_screed_reads_them(stream: bytes, text: bytes, counts: tuple[int, ...]) -> None:
    assert fed(stream)[0] == text
    assert counted(fed(stream)[1]) == counts


@pytest.mark.parametrize("header", [b">", b"> SRR1.1.1", b">SRR1", b">SRR1.1", b">\n"])
def test_a_header_that_is_not_fastq_dumps_ends_the_job(header: bytes) -> None:
    with pytest.raises(JobFailed) as failure:
        fed(header + b"\nACGT\n")
    assert failure.value.failure.reason is Reason.TOOL_CRASH


@pytest.mark.parametrize(
    "name", [b"SRR1", b"my file", b"a b.1.2", b"a 1.1 b", b"x#1", b"1.1", b"SRR1.sra", b"\xc3\xa9 x"]
)
@pytest.mark.parametrize("ending", [".sra", ".kar", ""])
def test_the_name_of_the_archive_may_have_blanks_and_dots(name: bytes, ending: str) -> None:
    stream = b"".join(
        b">%s.%d.%d SIM:1:FLOWCELL:1:1101:1000:1000 length=2\nAC\n" % (name, spot, read)
        for spot in (1, 2)
        for read in (1, 2)
    )
    text, reads = fed(stream, archive=f"/some where/{name.decode()}{ending}")
    assert text == b"NACNACNACNAC"
    assert counted(reads) == (2, 4, 8, 2)
