"""Parses tables of samples into sources: CSV or TSV, with a name and the files of reads in each row."""

from pathlib import Path

from wort_cli.commands.shared.arguments.lists import plain_lines, read_list, table_rows
from wort_cli.errors import InvalidName, UsageError, shown
from wort_cli.model.job import Source
from wort_cli.model.read_files import is_url
from wort_cli.pipeline.reads.named_reads import read_source

NAME_COLUMNS = ("sample", "name", "sample_id")
FILE_COLUMNS = (
    *("files", "file", "fastq_1", "fastq_2", "read1", "read2", "fasta", "fastq", "genome_filename"),
    *("fastq1", "fastq2"),
)
"""Columns of tables of samples, in lower case: wort's own, of nf-core, and of `sourmash scripts manysketch`."""


def parse_samples(table: Path) -> list[Source]:
    """Return the sources of a table of samples, in order; the files of all rows of a sample make one signature.

    The table has commas or tabs, and a header with a column of names (NAME_COLUMNS) and one or more of files
    (FILE_COLUMNS); other columns are ignored.  A cell may have several files, with semicolons between them.  Relative
    paths are relative to the working directory, else to the table.  One UsageError reports what is wrong, with its
    line.
    """
    text = read_list(table)
    first = next((line for _, line in plain_lines(text)), "")
    if not first:
        raise UsageError(f"{shown(str(table), 200)} is empty")
    rows = table_rows(text, "\t" if "\t" in first else ",")
    header = [cell.strip().lower() for cell in next(rows)[1]]
    name_at = next((header.index(name) for name in NAME_COLUMNS if name in header), None)
    files_at = [n for n, cell in enumerate(header) if cell in FILE_COLUMNS]
    if name_at is None or not files_at:
        raise UsageError(
            f"{shown(str(table), 200)} is not a table of samples",
            "its header needs a column `sample` or `name`, and `files`, or `fastq_1` and `fastq_2`",
        )
    words: dict[str, list[str]] = {}
    first_line: dict[str, int] = {}
    for number, row in rows:
        name = row[name_at].strip() if name_at < len(row) else ""
        cells = [row[n] for n in files_at if n < len(row)]
        files = [word.strip() for cell in cells for word in cell.split(";") if word.strip()]
        if not name or not files:
            raise UsageError(f"{shown(str(table), 200)}, line {number}: the row has no {'files' if name else 'name'}")
        first_line.setdefault(name, number)
        words.setdefault(name, []).extend(beside(word, table) for word in files)
    sources = []
    for name, files in words.items():
        try:
            sources.append(read_source(files, name))
        except InvalidName:
            raise UsageError(
                f"{shown(str(table), 200)}, line {first_line[name]}: {shown(name)} cannot be the name of a signature",
                "at most 100 letters, digits, '.', '_' and '-', starting with a letter or digit",
            ) from None
        except UsageError as error:
            raise UsageError(
                f"{shown(str(table), 200)}, line {first_line[name]}: {error.sentence}", error.hint
            ) from None
    return sources


def beside(word: str, table: Path) -> str:
    """Return a path of a table: relative to the working directory if there is such a file, else to the table."""
    path = Path(word)
    if word == "-":
        raise UsageError("a table cannot name standard input")
    if is_url(word):
        return word
    if path.is_absolute() or path.exists() or not (table.parent / path).exists():
        return word
    return str(table.parent / path)
