"""Lists are read as NCBI, ENA and spreadsheets write them."""

import codecs

import pytest

from wort_cli.commands.shared.arguments.lists import decode_list, entries
from wort_cli.errors import UsageError

# Each list as it was downloaded or saved (shortened), and its entries with their lines.
LISTS: dict[str, tuple[bytes, list[tuple[int, str]]]] = {
    "plain": (b"SRR1\n\n# none\nSRR2 # two\n", [(1, "SRR1"), (4, "SRR2")]),
    "SRR_Acc_List.txt of NCBI": (b"SRR1\nSRR2\n", [(1, "SRR1"), (2, "SRR2")]),
    "ends of lines of Windows": (b"SRR1\r\nSRR2\r\n", [(1, "SRR1"), (2, "SRR2")]),
    "byte-order mark": (codecs.BOM_UTF8 + b"SRR1\nSRR2\n", [(1, "SRR1"), (2, "SRR2")]),
    "UTF-16 of Notepad": ("\ufeffSRR1\r\nSRR2\r\n".encode("utf-16-le"), [(1, "SRR1"), (2, "SRR2")]),
    "UTF-16, big-endian": ("\ufeffSRR1\n".encode("utf-16-be"), [(1, "SRR1")]),
    "UTF-16 without a mark": ("SRR1\r\nSRR2\r\n".encode("utf-16-le"), [(1, "SRR1"), (2, "SRR2")]),
    "UTF-16, big-endian, without a mark": ("SRR1\n".encode("utf-16-be"), [(1, "SRR1")]),
    "UTF-32": ("\ufeffSRR1\n".encode("utf-32-le"), [(1, "SRR1")]),
    "ends of lines of old Macs, as spreadsheets write them": (b"Run,x\rSRR1,1\rSRR2,2\r", [(2, "SRR1"), (3, "SRR2")]),
    "several in a line": (
        b"SRR1, SRR2\nSRR3 SRR4\tPRJNA1\n",
        [
            (1, "SRR1"),
            (1, "SRR2"),
            (2, "SRR3"),
            (2, "SRR4"),
            (2, "PRJNA1"),
        ],
    ),
    "several in a cell": (b'sample,runs\ns1,"SRR1;SRR2"\n', [(2, "SRR1"), (2, "SRR2")]),
    "semicolons of a spreadsheet": (b"Bases;Run\n1,5;SRR1\n2,5;SRR2\n", [(2, "SRR1"), (3, "SRR2")]),
    "metadata in the cloud, one column": (b"acc\nSRR1\n", [(2, "SRR1")]),
    "quotes that ENA does not double": (
        b'run_accession\tsample_title\nERR1\t"a\nERR2\tb"\n',
        [(2, "ERR1"), (3, "ERR2")],
    ),
    "cell with a line end": (b'Run,title\nSRR1,"a\nb"\nSRR2,c\n', [(3, "SRR1"), (4, "SRR2")]),
    "quotes and trailing commas": (b"\"SRR1\",\n'SRR2';\n", [(1, "SRR1"), (2, "SRR2")]),
    "RunInfo": (
        b'Run,ReleaseDate,LoadDate,spots,bases\nSRR1,2011-01-01 00:00:00,,10,"1,000"\n\nSRR2,2011-01-01,,5,500\n\n',
        [(2, "SRR1"), (4, "SRR2")],
    ),
    "two RunInfo tables joined": (b"Run,spots\nSRR1,1\n\nRun,spots\nSRR2,2\n", [(2, "SRR1"), (5, "SRR2")]),
    "SraRunTable with a byte-order mark": (
        codecs.BOM_UTF8 + b'Run,Assay Type,"Center Name"\r\nSRR1,WGS,"A, B"\r\n',
        [(2, "SRR1")],
    ),
    "SraRunTable in tabs, runs not first": (b"BioSample\tRun\tBases\nSAMN1\tSRR1\t5\n", [(2, "SRR1")]),
    "file report of ENA": (b"study_accession\trun_accession\nPRJ1\tERR1\nPRJ1\tERR2\n", [(2, "ERR1"), (3, "ERR2")]),
    "quoted header": (b'"Run","Bases"\n"SRR1","7"\n', [(2, "SRR1")]),
    "one column with a header": (b"Run\nSRR1\n", [(2, "SRR1")]),
    "short row": (b"Bases,Run\n5\n6,SRR1\n", [(3, "SRR1")]),
    "paths with commas and blanks": (b"./a, b.sra\nrun#1/x.sra\n", [(1, "./a, b.sra"), (2, "run#1/x.sra")]),
    "line feeds only end lines": ("e\x0cf\u2028g\n".encode(), [(1, "e\x0cf\u2028g")]),
    "empty": (b"", []),
    "a header alone": (b"Run,spots\n", []),
}


@pytest.mark.parametrize("name", LISTS)
def test_list_is_read(name: str) -> None:
    data, expected = LISTS[name]
    assert list(entries(decode_list(data, "x.txt"))) == expected


@pytest.mark.parametrize("data", [b"\xff\n", b"SRR139146\n\xe4", b"PK\x03\x04\xfe\xff"])
def test_file_that_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"x\.txt is not a text file"):
        decode_list(data, "x.txt")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('Run,title\nSRR1,"a\nSRR2,b\n', 2),  # the second run would be a part of the title
        ('Run,title\nSRR1,a\n\nSRR2,"a"b\n', 4),
        ("Run,title\nSRR1," + "x" * 200_000 + "\n", 2),
    ],
    ids=["open quote", "text after a quote", "long cell"],
)
def test_table_whose_quotes_do_not_fit_is_refused_with_the_line(text: str, line: int) -> None:
    with pytest.raises(UsageError, match=f"line {line} of the table"):
        list(entries(text))
