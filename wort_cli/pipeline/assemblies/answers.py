"""Classifies the answers of NCBI's FTP site about an assembly: one table, with a recorded example for each row.

`meaning_of` looks at the status and the first bytes of an answer.  Sources: the files at
https://ftp.ncbi.nlm.nih.gov/genomes/all/ and its README.txt; HTTP (RFC 9110).
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from wort_cli.model.failure import JobFailed, Reason

HEAD = 2000
"""Bytes at the start of an answer that are looked at."""


class Kind(StrEnum):
    """The kind of a requested file."""

    LISTING = "listing of a directory"
    TABLE = "assembly summary"
    PART = "part of an assembly summary"
    SUMS = "list of md5 sums"
    REPORT = "assembly report"
    FILE = "file of sequences"
    REST = "rest of a file of sequences"


class Outcome(StrEnum):
    """The meaning of an answer."""

    CONTENT = "content"
    """The requested content follows."""
    NOTHING = "nothing"
    """There is no such file."""
    RATE_LIMITED = "rate-limited"
    """The server asks for fewer requests."""
    NO_ANSWER = "no-answer"
    """No answer about the file: the server is down, overloaded or answers nonsense."""


@dataclass(frozen=True)
class Meaning:
    """One row of the table: what an answer with a status and a beginning means."""

    kinds: frozenset[Kind]
    """Empty for all."""
    status: int
    """0 for any; 500 stands for all that begin with 5."""
    pattern: str
    """A regular expression that is searched in the first bytes, without regard to case."""
    outcome: Outcome
    sentence: str
    example: tuple[Kind, int, bytes]
    """The kind of the request, the status, and the first bytes of a recorded answer."""


LOGIN_PAGE = b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>\n"
LISTING = (
    b"<html>\n<head><title>Index of /genomes/all/GCA/000/005/845</title></head>\n<body>\n"
    b"<h1>Index of /genomes/all/GCA/000/005/845</h1>\n<pre>Name                          Last modified      Size  <hr>"
    b'<a href="/genomes/all/GCA/000/005/">Parent Directory</a>                               -   \n'
    b'<a href="GCA_000005845.2_ASM584v2/">GCA_000005845.2_ASM584v2/</a>     2024-07-16 21:31    -   \n<hr></pre>\n'
)
SUMS = b"c13d459b5caa702ff7e1f26fe44b8ad7  ./GCA_000005845.2_ASM584v2_genomic.fna.gz\n"
TABLE = (
    b"##   See ftp://ftp.ncbi.nlm.nih.gov/genomes/README_assembly_summary.txt for a description of the columns in this"
    b" file.\n#assembly_accession\tbioproject\tbiosample\n"
)
REPORT = b"# Assembly name:  ASM584v2\r\n# Organism name:  Escherichia coli str. K-12 substr. MG1655 (E. coli)\r\n"
ANY: frozenset[Kind] = frozenset()
PAGE = r"^\s*<(!doctype html|html)"


def of(*kinds: Kind) -> frozenset[Kind]:
    """Return some kinds."""
    return frozenset(kinds)


MEANINGS = (
    Meaning(ANY, 404, "", Outcome.NOTHING, "there is no such file", (Kind.FILE, 404, b"<html><h1>404 Not Found</h1>")),
    Meaning(ANY, 410, "", Outcome.NOTHING, "there is no such file any more", (Kind.FILE, 410, b"")),
    Meaning(
        ANY, 429, "", Outcome.RATE_LIMITED, "it asks for fewer requests",
        (Kind.SUMS, 429, b'{"error":"API rate limit exceeded","count":"11"}\n'),
    ),
    Meaning(ANY, 403, "", Outcome.NO_ANSWER, "it refuses the request", (Kind.TABLE, 403, b"<html>403 Forbidden")),
    Meaning(ANY, 408, "", Outcome.NO_ANSWER, "it did not wait for the request", (Kind.SUMS, 408, b"")),
    Meaning(ANY, 500, "", Outcome.NO_ANSWER, "it has an internal error", (Kind.TABLE, 503, LOGIN_PAGE)),
    Meaning(of(Kind.LISTING), 200, r"<title>index of|<a href=", Outcome.CONTENT, "", (Kind.LISTING, 200, LISTING)),
    Meaning(
        ANY, 200, PAGE, Outcome.NO_ANSWER, "the answer is a web page: does this network need a login?",
        (Kind.FILE, 200, LOGIN_PAGE),
    ),
    Meaning(
        of(Kind.FILE), 200, r"\A\x1f\x8b", Outcome.CONTENT, "", (Kind.FILE, 200, b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"),
    ),
    Meaning(
        of(Kind.FILE), 200, r"\A\Z", Outcome.NO_ANSWER, "the answer is empty", (Kind.FILE, 200, b""),
    ),
    Meaning(of(Kind.FILE), 200, "", Outcome.NO_ANSWER, "the answer is not compressed", (Kind.FILE, 200, b">1\nACGT\n")),
    Meaning(
        of(Kind.SUMS), 200, r"\A[0-9a-f]{32} [ *]\S", Outcome.CONTENT, "", (Kind.SUMS, 200, SUMS),
    ),
    Meaning(
        of(Kind.SUMS), 200, "", Outcome.NO_ANSWER, "the answer is not a list of md5 sums",
        (Kind.SUMS, 200, b"md5sum\n"),
    ),
    Meaning(of(Kind.TABLE), 200, r"^#\s*assembly_accession\t", Outcome.CONTENT, "", (Kind.TABLE, 200, TABLE)),
    Meaning(of(Kind.TABLE), 206, r"^#\s*assembly_accession\t", Outcome.CONTENT, "", (Kind.TABLE, 206, TABLE)),
    Meaning(
        of(Kind.TABLE), 0, "", Outcome.NO_ANSWER, "the answer is not an assembly summary", (Kind.TABLE, 200, b"Run\n"),
    ),
    Meaning(of(Kind.PART, Kind.REST), 206, "", Outcome.CONTENT, "", (Kind.PART, 206, b"3\tna\tGCA_000001405.29\t")),
    Meaning(
        of(Kind.REPORT), 200, r"^#\s*organism name:", Outcome.CONTENT, "", (Kind.REPORT, 200, REPORT),
    ),
    Meaning(
        of(Kind.REPORT), 200, "", Outcome.NO_ANSWER, "the answer is not an assembly report", (Kind.REPORT, 200, b"#\n"),
    ),
    Meaning(ANY, 0, "", Outcome.NO_ANSWER, "its answer is not the one to this request", (Kind.REST, 416, b"")),
)  # fmt: skip
"""Rows in order; the first that fits decides."""


def meaning_of(kind: Kind, status: int, head: bytes) -> Meaning:
    """Return what an answer with this status and these first bytes means."""
    wanted = 500 if 500 <= status < 600 else status
    text = head[:HEAD].decode("latin-1")
    for row in MEANINGS:
        fits = (not row.kinds or kind in row.kinds) and row.status in (0, wanted)
        if fits and re.search(row.pattern, text, re.IGNORECASE | re.MULTILINE):
            return row
    raise AssertionError("the last row fits everything")


def failure_of(meaning: Meaning, kind: Kind, url: str, status: int) -> JobFailed:
    """Return the failure of a job that needs what an answer does not have; `url` is as messages name it."""
    reason = Reason.RATE_LIMITED if meaning.outcome is Outcome.RATE_LIMITED else Reason.NETWORK
    said = f" (HTTP status {status})" if status not in (200, 206) else ""
    return JobFailed(reason, f"the {kind} at {url}: {meaning.sentence}{said}")
