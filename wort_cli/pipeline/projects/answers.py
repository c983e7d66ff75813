"""Classifies the answers of ENA and NCBI about the runs of a record: one table, with a recorded example for each row.

`meaning_of` looks at the status and the first bytes of an answer, before its rows are read.  The faults are those that
only the rows, or the end of an answer, show.  An answer with a fault is not used at all: a part of a list would look
like a whole one.

Sources: https://www.ebi.ac.uk/ena/portal/api/ (statuses 200, 204, 400, 429), NCBI's E-utilities
(https://www.ncbi.nlm.nih.gov/books/NBK25499/; the error for too many requests: NBK25497), HTTP (RFC 9110, RFC 9112).
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from wort_cli.errors import shown

ENA, NCBI = "ENA", "NCBI"
HEAD = 2000
"""Bytes at the start of an answer that are looked at."""


class Outcome(StrEnum):
    """The meaning of an answer."""

    ROWS = "rows"
    """Rows follow."""
    NO_RUNS = "no-runs"
    """The service has no run of the record."""
    RATE_LIMITED = "rate-limited"
    """The service asks for fewer requests."""
    NO_ANSWER = "no-answer"
    """No answer about the record: the server is down, overloaded or answers nonsense."""


class Fault(StrEnum):
    """A fault of rows, or of the end of an answer."""

    COLUMNS = "columns-missing"
    ROW = "bad-row"
    LONG_LINE = "long-line"
    TRUNCATED = "truncated"
    NO_END = "no-end"
    LIMITED = "limited"
    NOT_JSON = "not-json"
    NO_ROWS = "no-rows"


class NoListing(Exception):
    """A service gave no list that can be used; the text is a sentence without the name of the service."""

    def __init__(self, outcome: Outcome, sentence: str, *, passing: bool = False) -> None:
        super().__init__(sentence)
        self.outcome = outcome
        self.sentence = sentence
        self.passing = passing
        """Whether the same request may be answered a little later."""


@dataclass(frozen=True)
class Recorded:
    """An answer as it was recorded, or as it is documented."""

    body: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Whether the connection breaks before the end that the headers announce."""
    unbounded: bool = False
    """Whether the headers do not say where the body ends."""


@dataclass(frozen=True)
class Meaning:
    """One row of the table: what an answer with a status and a beginning means."""

    service: str
    """Empty for both."""
    status: int
    """0 for any; 500 stands for all that begin with 5."""
    pattern: str
    """A regular expression that is searched in the first bytes, without regard to case."""
    outcome: Outcome
    sentence: str
    example: Recorded
    passing: bool = False
    """Whether the same request may be answered a little later."""


ERROR_PAGE = "<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>\n"
MEANINGS = (
    Meaning(
        "",
        429,
        "",
        Outcome.RATE_LIMITED,
        "it asks for fewer requests",
        Recorded('{"error":"API rate limit exceeded","api-key":"192.0.2.7","count":"4","limit":"3"}', 429),
        passing=True,
    ),
    Meaning(
        NCBI,
        200,
        r'^\s*\{\s*"error"\s*:\s*"API rate limit',
        Outcome.RATE_LIMITED,
        "it asks for fewer requests",
        Recorded('{"error":"API rate limit exceeded","count":"11"}\n'),
        passing=True,
    ),
    Meaning("", 408, "", Outcome.NO_ANSWER, "it did not wait for the request", Recorded("", 408), passing=True),
    Meaning("", 500, "", Outcome.NO_ANSWER, "it has an internal error", Recorded(ERROR_PAGE, 503), passing=True),
    Meaning(ENA, 204, "", Outcome.NO_RUNS, "it lists no runs", Recorded("", 204)),
    Meaning(ENA, 200, r"^\s*$", Outcome.NO_RUNS, "it lists no runs", Recorded("")),
    Meaning(
        "",
        200,
        r"^\s*<(!doctype html|html)",
        Outcome.NO_ANSWER,
        "the answer is a web page, not a list: does this network need a login?",
        Recorded(ERROR_PAGE),
    ),
    Meaning(
        NCBI,
        200,
        r"<error>",
        Outcome.NO_ANSWER,
        "it reports an error",
        Recorded(
            '<?xml version="1.0" ?>\n<eFetchResult>\n<ERROR>Unable to obtain query #1</ERROR>\n</eFetchResult>\n',
        ),
        passing=True,
    ),
    Meaning(
        NCBI,
        200,
        r'^\s*\{\s*"error"\s*:|"esearchresult"\s*:\s*\{\s*"error"\s*:',
        Outcome.NO_ANSWER,
        "it reports an error",
        Recorded('{"header":{},"esearchresult":{"ERROR":"Search Backend failed: no answer"}}\n'),
        passing=True,
    ),
    Meaning("", 200, "", Outcome.ROWS, "", Recorded("run_accession\tbase_count\nSRR139146\t1200\n")),
    Meaning(
        "",
        0,
        "",
        Outcome.NO_ANSWER,
        "it does not understand the request",
        Recorded('{"message":"Invalid fields parameter: base_cuont"}\n', 400),
    ),
)
"""Rows in order; the first that fits decides."""

HEADER = "run_accession\tstudy_accession\tsecondary_study_accession\tbase_count\n"
FAULTS: dict[Fault, tuple[str, str, Recorded]] = {
    Fault.COLUMNS: (
        ENA,
        "its list lacks columns that were requested",
        Recorded("run_accession\nSRR139146\n"),
    ),
    Fault.ROW: (ENA, "its list has a row that is not one of a run", Recorded("{header}SRR139146\tPRJNA1\n")),
    Fault.LONG_LINE: (ENA, "its list has a line that is too long", Recorded("run_accession" + "x" * 1_100_000)),
    Fault.TRUNCATED: (ENA, "its answer broke off", Recorded("{header}{row}", cut=True)),
    Fault.NO_END: (ENA, "its answer does not say where it ends", Recorded("{header}{row}", unbounded=True)),
    Fault.LIMITED: (
        ENA,
        "it lists exactly as many runs as one answer of it may have, so that some may be missing",
        Recorded("{header}{rows}"),
    ),
    Fault.NOT_JSON: (NCBI, "the answer is not that of a search", Recorded("Run,ReleaseDate\n")),
    Fault.NO_ROWS: (NCBI, "it counts experiments, but lists no run of them", Recorded("\n")),
}
"""The service that makes it in the example, the sentence, and the example.

`{header}`, `{row}` and `{rows}` stand for the columns that are requested, for a row, and for as many rows as an answer
may have.
"""


def meaning_of(service: str, status: int, head: bytes) -> Meaning:
    """Return what an answer with this status and these first bytes means."""
    wanted = 500 if 500 <= status < 600 else status
    text = head[:HEAD].decode("utf-8", "replace")
    for row in MEANINGS:
        if row.service in ("", service) and row.status in (0, wanted) and re.search(row.pattern, text, re.IGNORECASE):
            return row
    raise AssertionError("the last row fits everything")


def check_answer(service: str, status: int, head: bytes) -> None:
    """Raise NoListing unless rows follow."""
    meaning = meaning_of(service, status, head)
    if meaning.outcome is Outcome.ROWS:
        return
    said = "" if meaning.outcome is Outcome.NO_RUNS else detail_of(status, head)
    raise NoListing(meaning.outcome, meaning.sentence + said, passing=meaning.passing)


def detail_of(status: int, head: bytes) -> str:
    """Return the status of an answer and the error that it has, for the end of a sentence."""
    text = head[:HEAD].decode("utf-8", "replace")
    found = re.search(r'<error>([^<]*)<|"(?:message|error)"\s*:\s*"([^"]*)"', text, re.IGNORECASE)
    said = shown(next(part for part in (found[1], found[2]) if part is not None).strip(), 200) if found else ""
    parts = [f"HTTP status {status}" if status != 200 else "", said]
    return f" ({': '.join(part for part in parts if part)})" if any(parts) else ""


def fault(kind: Fault, detail: str = "") -> NoListing:
    """Return the error for an answer with a fault."""
    return NoListing(Outcome.NO_ANSWER, FAULTS[kind][1] + (f" ({detail})" if detail else ""))
