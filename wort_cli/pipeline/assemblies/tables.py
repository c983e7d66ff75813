"""Finds the row of an assembly in an assembly summary, of which the largest has more than a gigabyte.

NCBI sorts these tables by accession, so that a few ranges of a table find a row, or show that there is none.  If its
rows are not in order, or the server sends no ranges, the table is read to its end.

Source of the columns: https://ftp.ncbi.nlm.nih.gov/genomes/README_assembly_summary.txt.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from wort_cli.model.accession import ASSEMBLY, AssemblyAccession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.http import url_without_query
from wort_cli.pipeline.assemblies.answers import Kind
from wort_cli.pipeline.assemblies.requests import NoRanges, Piece, Requests

HEADER = re.compile(rb"#\s*(assembly_accession\t.*)")
COLUMNS = frozenset({"assembly_accession", "organism_name", "infraspecific_name", "asm_name", "ftp_path"})
"""The columns that a table must have."""
WINDOW, PROBE = 1 << 16, 1 << 14
"""Bytes that are read at last, and to look where in the order a place is.  Most rows have less than a kilobyte."""
Row = dict[str, str]
Key = tuple[int, int]


class NotInOrder(Exception):
    """The rows of a table are not sorted, or the table was replaced while it was searched."""


def find_row(requests: Requests, url: str, accession: AssemblyAccession, log: Callable[[str], None]) -> Row | None:
    """Return the row of an assembly in the table at a URL; None if it has none, or if there is no such table.

    Raises JobFailed if the server does not answer, or if what comes is not such a table.
    """
    try:
        return search(requests, url, accession)
    except (NotInOrder, NoRanges) as why:
        cause = "it is not sorted" if isinstance(why, NotInOrder) else "the server sends no ranges"
        log(f"{url_without_query(url)} is read to its end: {cause}")
    return scan(requests.lines(Kind.TABLE, url), accession, url)


def search(requests: Requests, url: str, accession: AssemblyAccession) -> Row | None:
    """Find a row by ranges.  Raises NoRanges or NotInOrder if that is impossible."""
    first = requests.piece(Kind.TABLE, url, 0, WINDOW)
    if first is None:
        return None
    start, columns = header_in(first.data, url)
    wanted, tag, low, high = key_of(accession), first.tag, start, first.total

    def part(place: int, size: int) -> Piece:
        found = requests.piece(Kind.PART, url, place, min(size, first.total - place))
        if found is None or (found.total, found.tag) != (first.total, tag):
            raise NotInOrder
        return found

    head = first.data[start:].partition(b"\n")[0]
    below, above = key_of_row(head) if head else (0, 0), (10**9, 0)
    while high - low > WINDOW:
        middle = (low + high) // 2
        found = first_row(part(middle, PROBE).data)
        if found is None:  # a row that is longer than any
            raise NotInOrder
        skipped, row = found
        key = key_of_row(row)
        if not below <= key <= above:
            raise NotInOrder
        if key <= wanted:
            below, low = key, middle + skipped
        else:
            above, high = key, middle + skipped
    text = part(low, high - low).data if low < high else b""
    keys, rows = [], text.split(b"\n")
    for row in rows:
        if row:
            keys.append(key_of_row(row))
            if keys[-1] == wanted:
                return row_of(row.decode("utf-8", "replace"), columns, url)
    if keys != sorted(keys):
        raise NotInOrder
    return None


def first_row(data: bytes) -> tuple[int, bytes] | None:
    """Return where the first complete row in a part of a table starts, and that row; None if there is none."""
    start = data.find(b"\n") + 1
    end = data.find(b"\n", start)
    return (start, data[start:end]) if start and end > start else None


def scan(lines: Iterable[str], accession: AssemblyAccession, url: str) -> Row | None:
    """Return the row of an assembly among the lines of a table; None if there is none."""
    columns: list[str] = []
    for line in lines:
        if line.startswith("#"):
            found = HEADER.fullmatch(line.encode())
            columns = found[1].decode().split("\t") if found else columns
        elif line.startswith(f"{accession}\t"):
            return row_of(line, checked(columns, url), url)
    return None


def header_in(data: bytes, url: str) -> tuple[int, list[str]]:
    """Return where the rows of a table start, and its columns.  Raises JobFailed if it has not the known ones."""
    place = 0
    for line in lines_of(data):
        found = HEADER.fullmatch(line)
        if not line.startswith(b"#"):
            break
        place += len(line) + 1
        if found:
            return place, checked(found[1].decode("utf-8", "replace").split("\t"), url)
    return place, checked([], url)


def lines_of(data: bytes) -> Iterator[bytes]:
    """Yield the complete lines in the first part of a table."""
    yield from data.split(b"\n")[:-1]


def checked(columns: list[str], url: str) -> list[str]:
    """Return the columns of a table; raise JobFailed if one is missing that is needed."""
    if missing := sorted(COLUMNS - set(columns)):
        raise JobFailed(Reason.NETWORK, f"{url_without_query(url)} has no column {missing[0]}")
    return columns


def row_of(line: str, columns: list[str], url: str) -> Row:
    """Return a row by the names of the columns.  Raises JobFailed if it is not complete."""
    cells = line.rstrip("\r").split("\t")
    if len(cells) < len(columns):
        raise JobFailed(Reason.NETWORK, f"{url_without_query(url)} has a row of {len(cells)} values for {cells[0]}")
    return {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}


def key_of(accession: str) -> Key:
    """Return by what the rows are sorted: the number of an assembly, and its version."""
    return int(accession[4:13]), int(accession[14:])


def key_of_row(row: bytes) -> Key:
    """Return the key of a row; raise NotInOrder if it does not begin with an accession."""
    accession = row.partition(b"\t")[0].decode("latin-1")
    if not ASSEMBLY.fullmatch(accession):
        raise NotInOrder
    return key_of(accession)
