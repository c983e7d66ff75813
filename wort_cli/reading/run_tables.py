"""Reads rows of tables of runs, as ENA and NCBI write them, into RunMetadata.

These are known, by the names of their columns without regard to case, blanks and underscores:

- ENA's file report: run_accession, base_count ... (https://www.ebi.ac.uk/ena/portal/api/returnFields?result=read_run)
- NCBI's RunInfo: Run, bases, size_MB, ScientificName ... (E-utilities, `efetch -db sra -rettype runinfo`)
- NCBI's SraRunTable of the Run Selector: Run, Bases, Bytes, Organism, Assay Type ...
- NCBI's metadata table in the cloud: acc, mbases, mbytes, organism, assay_type ...
  (https://www.ncbi.nlm.nih.gov/sra/docs/sra-cloud-based-metadata-table/)

An accession of a project, study, sample or experiment goes by its own form: ENA's study_accession is a project.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wort_cli.model.accession import KINDS, RUN, RecordKind
from wort_cli.model.run_metadata import MEGABYTE, RunMetadata

MAX_TEXT = 200
"""Characters of a value that are kept."""
MAX_NUMBER = 2**62
DATE = re.compile(r"\d{4}-\d\d-\d\d")


class BadRow(ValueError):
    """A row is not one of a run; the message is a sentence."""


def text_of(value: str) -> str:
    """Return a text of a table without control characters; those that stand for nothing are empty."""
    text = value.strip()[:MAX_TEXT]
    if text in ("-", "NA", "N/A", "null", "None", "not applicable", "missing"):
        return ""
    return text if text.isprintable() else " ".join("".join(c if c.isprintable() else " " for c in text).split())


def times(factor: int) -> Callable[[str], int | None]:
    """Return a function that reads a count of so many units; None for what is none."""

    def number_of(value: str) -> int | None:
        try:
            number = int(value) if value.isdigit() else int(float(value))
        except (ValueError, OverflowError):
            return None
        return number * factor if 0 <= number * factor < MAX_NUMBER else None

    return number_of


def date_of(value: str) -> str:
    """Return the date at the start of a text; empty if there is none."""
    return value[:10] if DATE.match(value) else ""


Parse = Callable[[str], Any]
COLUMNS: dict[str, tuple[str, Parse]] = {
    "taxid": ("taxid", times(1)),
    "scientificname": ("organism", text_of),
    "organism": ("organism", text_of),
    "librarystrategy": ("strategy", text_of),
    "assaytype": ("strategy", text_of),
    "librarysource": ("source", text_of),
    "libraryselection": ("selection", text_of),
    "librarylayout": ("layout", text_of),
    "instrumentplatform": ("platform", text_of),
    "platform": ("platform", text_of),
    "instrumentmodel": ("model", text_of),
    "instrument": ("model", text_of),
    "model": ("model", text_of),
    "readcount": ("spots", times(1)),
    "spots": ("spots", times(1)),
    "basecount": ("bases", times(1)),
    "bases": ("bases", times(1)),
    "mbases": ("bases", times(1_000_000)),
    "srabytes": ("bytes", times(1)),
    "bytes": ("bytes", times(1)),
    "sizemb": ("bytes", times(MEGABYTE)),
    "mbytes": ("bytes", times(MEGABYTE)),
    "firstpublic": ("released", date_of),
    "releasedate": ("released", date_of),
    "lastupdated": ("updated", date_of),
    "loaddate": ("updated", date_of),
}
"""The field of each column, and how its value is read."""
RUN_COLUMNS = ("run", "runaccession", "runs", "acc", "assemblyaccession")
"""The columns of runs, and that of assemblies in the tables of NCBI."""
ACCESSIONS = frozenset(
    {"bioproject", "studyaccession", "secondarystudyaccession", "srastudy", "sample", "sampleaccession", "sampleacc"}
    | {"secondarysampleaccession", "biosample", "experiment", "experimentaccession"}
)
"""Columns of accessions, whose form tells what they name."""
FIELD_OF = {
    RecordKind.PROJECT: "project",
    RecordKind.STUDY: "study",
    RecordKind.EXPERIMENT: "experiment",
    RecordKind.SAMPLE: "sample",
    RecordKind.BIOSAMPLE: "biosample",
}


def accession_field(value: str) -> str:
    """Return the field of an accession by its form; empty if it has none."""
    return next((field for kind, field in FIELD_OF.items() if KINDS[kind].fullmatch(value)), "")


def plain_name(column: str) -> str:
    """Return the name of a column without what differs between sources."""
    return re.sub(r"[\s_]", "", column.strip().lower().removesuffix("_s"))


@dataclass(frozen=True)
class TableLayout:
    """The positions of the columns of a table, by their meaning."""

    width: int
    run: int
    """The position of the accession of the run."""
    fields: tuple[tuple[int, str, Parse], ...]
    accessions: tuple[int, ...]

    @classmethod
    def of(cls, header: Sequence[str]) -> "TableLayout | None":
        """Return the layout of a table with this header; None if it has no column of runs."""
        names = [plain_name(column) for column in header]
        run = next((names.index(name) for name in RUN_COLUMNS if name in names), None)
        if run is None:
            return None
        fields = tuple((n, *COLUMNS[name]) for n, name in enumerate(names) if name in COLUMNS)
        return cls(len(names), run, fields, tuple(n for n, name in enumerate(names) if name in ACCESSIONS))

    def read(self, cells: Sequence[str]) -> RunMetadata:
        """Return the run of a row.  Raises BadRow if the row has another width, or is not one of a run."""
        if len(cells) != self.width:
            raise BadRow(f"a row has {len(cells)} values for {self.width} columns")
        if not RUN.fullmatch(run := cells[self.run].strip()):
            raise BadRow("a row has no accession of a run")
        found: dict[str, Any] = {}
        for n, field, parse in self.fields:
            if cells[n] and (value := parse(cells[n])) not in ("", None):
                found.setdefault(field, value)
        for n in self.accessions:
            if (value := cells[n].strip()) and (field := accession_field(value)):
                found.setdefault(field, value)
        return RunMetadata(run, **found)
