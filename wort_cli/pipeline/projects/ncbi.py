"""NCBI's list of the runs of a record: a search in the SRA, then the RunInfo of what it finds, page by page.

1. `esearch.fcgi?db=sra&term=PRJNA1[BioProject]&usehistory=y&retmode=json` answers with a count of experiments, and
   with the key of a history.
2. `efetch.fcgi?db=sra&query_key=..&WebEnv=..&rettype=runinfo&retmode=text&retstart=..&retmax=..` answers with CSV: a
   header, and a row for each run of these experiments.  Later pages may come without the header.

A series or a sample of GEO is looked up in `db=gds`: `esummary` names its study or experiment in `extrelations`.

Whether a run exists is asked of another address, which needs no search: `runinfo?acc=SRR139146` answers with the CSV of
step 2, or with nothing.

Source: E-utilities, https://www.ncbi.nlm.nih.gov/books/NBK25499/ (at most 10,000 records a request) and NBK25497 (at
most three requests a second).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from wort_cli.model.accession import Accession, RecordAccession, RecordKind
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.pipeline.projects.answers import NCBI, Fault, NoListing, Outcome, fault
from wort_cli.pipeline.projects.tables import Requests, csv_rows
from wort_cli.reading.documents import json_object
from wort_cli.reading.run_tables import BadRow, TableLayout

PAGE = 5000
"""Experiments of a page."""
SEARCH_FIELD = {RecordKind.PROJECT: "BioProject", RecordKind.BIOSAMPLE: "BioSample"}
"""The field of the search for a kind of record; all others are found by their accession."""
HEADER = (
    *("Run", "ReleaseDate", "LoadDate", "spots", "bases", "spots_with_mates", "avgLength", "size_MB", "AssemblyName"),
    *("download_path", "Experiment", "LibraryName", "LibraryStrategy", "LibrarySelection", "LibrarySource"),
    *("LibraryLayout", "InsertSize", "InsertDev", "Platform", "Model", "SRAStudy", "BioProject", "Study_Pubmed_id"),
    *("ProjectID", "Sample", "BioSample", "SampleType", "TaxID", "ScientificName", "SampleName", "g1k_pop_code"),
    *("source", "g1k_analysis_group", "Subject_ID", "Sex", "Disease", "Tumor", "Affection_Status", "Analyte_Type"),
    *("Histological_Type", "Body_Site", "CenterName", "Submission", "dbgap_study_accession", "Consent", "RunHash"),
    "ReadHash",
)
"""The columns of a page that comes without them."""
NEEDED = frozenset({"Run", "spots", "bases", "size_MB", "Experiment", "BioProject", "ScientificName"})
MAX_DOCUMENT = 16 << 20
"""Characters of a JSON document."""
TARGETS = frozenset({RecordKind.STUDY, RecordKind.EXPERIMENT, RecordKind.PROJECT})


@dataclass(frozen=True)
class Counted:
    """The size of NCBI's own list, as NCBI reports it."""

    experiments: int
    """Experiments that the search found."""
    listed: int
    """Experiments with runs in the list."""


def list_of_record(
    requests: Requests, base: str, record: RecordAccession, take: Callable[[RunMetadata], None], page: int = PAGE
) -> Counted:
    """Pass the runs of a record to `take`, once each page of them is complete.  Raises NoListing."""
    term = f"{record}[{SEARCH_FIELD.get(record.kind, 'Accession')}]"
    found = search(requests, base, {"db": "sra", "term": term, "retmax": "0"})
    if found.count == 0:
        raise NoListing(Outcome.NO_RUNS, "it lists no runs")
    layout: TableLayout | None = None
    experiments: set[str] = set()
    for first in range(0, found.count, page):
        parameters = {"db": "sra", "query_key": found.key, "WebEnv": found.history, "rettype": "runinfo"}
        query = urlencode({**parameters, "retmode": "text", "retstart": first, "retmax": page, "tool": "wort"})
        read = partial(read_page, known=layout)
        runs, layout = requests.get(NCBI, f"{base}/efetch.fcgi?{query}", read)
        experiments.update(run.experiment for run in runs)
        for run in runs:
            take(run)
    if not experiments:
        raise fault(Fault.NO_ROWS)
    return Counted(found.count, len(experiments))


def run_info(requests: Requests, url: str, run: Accession, take: Callable[[RunMetadata], None]) -> None:
    """Pass what NCBI's run info lists for a run to `take`; nothing if NCBI does not know it.  Raises NoListing."""
    runs, _ = requests.get(NCBI, f"{url}?{urlencode({'acc': run})}", partial(read_page, known=None))
    for found in runs:
        take(found)


def read_page(lines: Iterator[str], known: TableLayout | None) -> tuple[list[RunMetadata], TableLayout | None]:
    """Return the runs of a page, and the layout of its columns; `known` is that of an earlier page."""
    runs: list[RunMetadata] = []
    layout = known
    for cells in csv_rows(lines):
        if not any(cells):
            continue
        if cells[0] == "Run":
            if missing := NEEDED - set(cells):
                raise fault(Fault.COLUMNS, ", ".join(sorted(missing)[:3]))
            layout = TableLayout.of(cells)
            continue
        if layout is None and len(cells) == len(HEADER):
            layout = TableLayout.of(HEADER)
        if layout is None:
            raise fault(Fault.COLUMNS)
        try:
            run = layout.read(cells)
        except BadRow as error:
            raise fault(Fault.ROW, str(error)) from None
        if not run.experiment:
            raise fault(Fault.ROW, "a row has no experiment")
        runs.append(run)
    return runs, layout


@dataclass(frozen=True)
class Search:
    """The answer to a search."""

    count: int
    key: str
    history: str
    ids: tuple[str, ...]


def search(requests: Requests, base: str, parameters: dict[str, str]) -> Search:
    """Return what a search finds.  Raises NoListing."""
    query = urlencode({**parameters, "usehistory": "y", "retmode": "json", "tool": "wort"})

    def read(lines: Iterator[str]) -> Search:
        result: Any = document_of(lines).get("esearchresult")
        try:
            found = Search(
                int(result["count"]), str(result.get("querykey", "")), str(result.get("webenv", "")),
                tuple(str(uid) for uid in result.get("idlist", ())),
            )  # fmt: skip
        except (TypeError, KeyError, ValueError, AttributeError):
            raise fault(Fault.NOT_JSON) from None
        if found.count < 0 or (found.count and not (found.key and found.history)):
            raise fault(Fault.NOT_JSON)
        return found

    return requests.get(NCBI, f"{base}/esearch.fcgi?{query}", read)


def targets_of_geo(requests: Requests, base: str, record: RecordAccession) -> list[RecordAccession]:
    """Return the studies, experiments or projects in the SRA that a record of GEO refers to.  Raises NoListing."""
    kind = "gse" if record.kind is RecordKind.SERIES else "gsm"
    found = search(requests, base, {"db": "gds", "term": f"{record}[ACCN] AND {kind}[ETYP]", "retmax": "20"})
    if not found.ids:
        raise NoListing(Outcome.NO_RUNS, "GEO does not know it")
    query = urlencode({"db": "gds", "id": ",".join(found.ids), "retmode": "json", "tool": "wort"})

    def read(lines: Iterator[str]) -> list[RecordAccession]:
        result = document_of(lines).get("result")
        if not isinstance(result, dict) or not isinstance(result.get("uids"), list):
            raise fault(Fault.NOT_JSON)
        entries = [entry for entry in result.values() if isinstance(entry, dict) and entry.get("accession") == record]
        return list(dict.fromkeys(target for entry in entries for target in targets_in(entry)))

    if not (targets := requests.get(NCBI, f"{base}/esummary.fcgi?{query}", read)):
        raise NoListing(Outcome.NO_RUNS, "GEO names no runs in the SRA for it")
    return targets


def targets_in(entry: dict[str, Any]) -> list[RecordAccession]:
    """Return the records in the SRA that a summary of GEO names; a project only if there is nothing else."""
    relations = entry.get("extrelations")
    named = [
        str(relation.get("targetobject", ""))
        for relation in (relations if isinstance(relations, list) else [])
        if isinstance(relation, dict) and relation.get("relationtype") == "SRA"
    ] or [str(entry.get("bioproject", ""))]
    return [target for text in named if (target := RecordAccession.in_text(text)) and target.kind in TARGETS]


def document_of(lines: Iterator[str]) -> dict[str, Any]:
    """Return a JSON document.  Raises NoListing if it is not JSON."""
    parts, size = [], 0
    for line in lines:
        parts.append(line)
        size += len(line)
        if size > MAX_DOCUMENT:
            raise fault(Fault.LONG_LINE)
    found = json_object("\n".join(parts))
    if found is None:
        raise fault(Fault.NOT_JSON)
    return found
