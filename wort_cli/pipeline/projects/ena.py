"""ENA's list of the runs of a record (its file report), or of a query (its search).

Request: `GET .../filereport?accession=PRJNA1&result=read_run&fields=run_accession,...&format=tsv&limit=0`, or
`.../search?query=...` with the same parameters.  Answer: text with tabs, a header and a row for each run; 204 or
nothing if there is none.  `limit=0` asks for all rows; without it, an answer has at most 100,000.

Sources: https://www.ebi.ac.uk/ena/portal/api/ and its returnFields?result=read_run;
https://ena-docs.readthedocs.io/en/latest/retrieval/programmatic-access/file-reports.html.
"""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit, urlunsplit

from wort_cli.model.run_metadata import RunMetadata
from wort_cli.pipeline.projects.answers import ENA, Fault, fault
from wort_cli.pipeline.projects.tables import Requests
from wort_cli.reading.run_tables import BadRow, TableLayout

FIELDS = (
    *("run_accession", "study_accession", "secondary_study_accession", "experiment_accession", "sample_accession"),
    *("secondary_sample_accession", "tax_id", "scientific_name", "library_strategy", "library_source"),
    *("library_selection", "library_layout", "instrument_platform", "instrument_model", "read_count", "base_count"),
    *("sra_bytes", "first_public", "last_updated"),
)
LIMIT = 100_000
"""Rows of an answer to a request without a limit.  A list of so many may have been cut."""
Take = Callable[[RunMetadata], None]


def list_of_record(requests: Requests, url: str, accession: str, take: Take, restart: Callable[[], None]) -> None:
    """Pass the runs of a record to `take`; `restart` is called before each attempt.  Raises NoListing."""
    fetch(requests, f"{url}?{urlencode({'accession': accession, **parameters()})}", take, restart)


def list_of_query(requests: Requests, url: str, query: str, take: Take, restart: Callable[[], None]) -> None:
    """Pass the runs that a query of ENA's search finds to `take`, as `list_of_record`."""
    fetch(requests, f"{search_url(url)}?{urlencode({'query': query, **parameters()})}", take, restart)


def parameters() -> dict[str, str]:
    """Return the parameters that both requests have."""
    return {"result": "read_run", "fields": ",".join(FIELDS), "format": "tsv", "limit": "0"}


def search_url(filereport: str) -> str:
    """Return the URL of the search beside that of the file report."""
    parts = urlsplit(filereport)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rpartition("/")[0] + "/search", "", ""))


def fetch(requests: Requests, url: str, take: Take, restart: Callable[[], None]) -> None:
    """Request a list and pass its runs to `take`."""

    def read(lines: Iterator[str]) -> None:
        restart()
        number = 0
        for run in runs_of(lines):
            take(run)
            number += 1
        if number == LIMIT:
            raise fault(Fault.LIMITED)

    requests.get(ENA, url, read)


def runs_of(lines: Iterator[str]) -> Iterator[RunMetadata]:
    """Yield the runs of a list.  Raises NoListing if it is not one with all columns."""
    header = next(lines, "").rstrip("\r").split("\t")
    layout = TableLayout.of(header)
    missing = set(FIELDS) - {column.strip() for column in header}
    if layout is None or missing:
        raise fault(Fault.COLUMNS, ", ".join(sorted(missing)[:3]))
    for line in lines:
        if not (line := line.rstrip("\r")):
            continue
        try:
            yield layout.read(line.split("\t"))
        except BadRow as error:
            raise fault(Fault.ROW, str(error)) from None
