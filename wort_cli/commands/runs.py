"""`wort runs`: lists the runs of projects, studies, experiments and samples, as ENA and NCBI list them."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from wort_cli.api.listings import record_listing
from wort_cli.commands.shared.arguments.expansion import summary
from wort_cli.commands.shared.arguments.lists import listed_words
from wort_cli.commands.shared.arguments.options import FromFileOption, JsonOption, NoHeaderOption, ShowAllOption
from wort_cli.commands.shared.arguments.selection import open_home
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import (
    BASES,
    BYTES,
    COUNT,
    ID,
    PROSE,
    TEXT,
    TIME,
    Document,
    Field,
    list_of,
    record_of,
)
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.commands.shared.viewing.run_record import RUN_FIELDS, run_values
from wort_cli.errors import UsageError, shown
from wort_cli.model.accession import RecordAccession
from wort_cli.model.units import iso_time
from wort_cli.pipeline.projects.kept import EnaQuery, ListedRun, Listing, Selection
from wort_cli.pipeline.projects.listing import list_runs

LISTING = record_of(
    Field("selection", ID, "The accession, or the query"),
    Field("runs", COUNT, "The number of its runs"),
    Field("bases", BASES, "The length of all reads, as far as it is known"),
    Field("bytes", BYTES, "The size of all archives, as far as it is known"),
    Field("listed_at", TIME, "When the services were asked"),
    Field("ena", COUNT, "The number of runs that ENA lists; null if it gave no list", optional=True),
    Field("ncbi", COUNT, "The number of runs that NCBI lists; null if it gave no list", optional=True),
    Field("targets", list_of(ID), "The records in the SRA to which a record of GEO refers"),
    Field("remarks", list_of(PROSE), "What is remarkable about the lists, as sentences"),
)
DOCUMENT = Document(
    "runs",
    "The runs of projects, studies, experiments and samples.",
    head=(Field("listings", list_of(LISTING), "What was asked, and how many runs each has"),),
    rows="runs",
    row=(
        *RUN_FIELDS,
        Field("listed_by", list_of(TEXT), "The services that list the run"),
    ),
    columns=(
        *("run", "organism", "strategy", "source", "layout", "platform", "bases", "bytes", "project", "biosample"),
        *("experiment", "released", "listed_by"),
    ),
)
TERMINAL_COLUMNS = (
    *("run", "organism", "strategy", "layout", "bases", "bytes", "platform", "biosample", "experiment", "project"),
    *("source", "released", "listed_by"),
)
"""The columns of a terminal; the last ones are left out first."""
ALL_COLUMNS = tuple(field.key for field in DOCUMENT.row)
SHOWN = 50
"""Runs that a terminal shows without --all; a pipe gets all."""


def runs(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID|-",
            help="Accessions of projects, studies, experiments, samples, GEO series or runs; or a query of ENA.",
        ),
    ] = None,
    from_file: FromFileOption = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask ENA and NCBI again, although their lists were kept.")
    ] = False,
    everything: ShowAllOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values with a header.")] = False,
    as_tsv: Annotated[bool, typer.Option("--tsv", help="Print tab-separated values with a header.")] = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """List the runs of a project, and what is known of each.

    ENA and NCBI are asked, and their lists are compared; what differs is said on stderr. A list is kept for
    a day. The exit code is 3 if there are no runs, 75 if neither service gave a list.

    \b
    Examples:
      wort runs PRJNA63463
      wort runs SRP003255 --csv > runs.csv
    """
    if as_csv + as_tsv + as_json > 1:
        raise UsageError("--csv, --tsv and --json exclude each other")
    selections = parse_selections(ids or [], from_file)
    settings, ledger = open_home()
    listings = [list_runs(selection, settings, refresh=refresh) for selection in selections]
    for listing in listings:
        render.notice(render.printable(summary(listing)))
        for sentence in listing.sentences():
            render.notice(render.printable(sentence))
        record_listing(ledger, listing)
    form = Form.of(as_json=as_json, as_csv=as_csv, as_tsv=as_tsv)
    records = records_of(listings)
    head = {"listings": [listing_record(listing) for listing in listings]}
    if form is not Form.TERMINAL:
        columns = ALL_COLUMNS if as_csv or as_tsv else ()
        print_records(DOCUMENT, records, form, header=not no_header, head=head, columns=columns)
        return
    print_records(DOCUMENT, islice(records, None if everything else SHOWN), form, columns=TERMINAL_COLUMNS)
    if not everything and (number := sum(listing.runs for listing in listings)) > SHOWN:
        render.notice(f"the first {SHOWN} of {number:,} runs; --all shows the rest")


def parse_selections(words: Sequence[str], from_file: Path | None) -> list[Selection]:
    """Return what the words name, each once.  Raises UsageError for a word that names nothing that has runs."""
    found = list[Selection]()
    for place, word in listed_words(words, from_file):
        selection = RecordAccession.in_text(word, runs=True) or EnaQuery.in_text(word)
        if selection is None:
            raise UsageError(
                f"{place}{shown(word)} is not the accession of something that has runs",
                "such as PRJNA63463, SRP003255, SRX111814, SAMN00765663 or GSE18729",
            )
        found.append(selection)
    if not found:
        raise UsageError("no project is named", "give accessions, - for a list on standard input, or --from-file")
    return list(dict.fromkeys(found))


def records_of(listings: Sequence[Listing]) -> Iterator[dict[str, Any]]:
    """Yield the runs of some listings, each once, with the keys of DOCUMENT."""
    seen = set[str]()
    for listing in listings:
        for row in listing.rows():
            if len(listings) > 1:
                if row.run.run in seen:
                    continue
                seen.add(row.run.run)
            yield run_record(row)


def run_record(row: ListedRun) -> dict[str, Any]:
    """Return a run with the keys of DOCUMENT."""
    return {**run_values(row.run), "listed_by": list(row.services)}


def listing_record(listing: Listing) -> dict[str, Any]:
    """Return the numbers of a listing with the keys of LISTING."""
    numbers = {witness.service.lower(): witness.runs for witness in listing.witnesses}
    return {
        "selection": listing.selection,
        "runs": listing.runs,
        "bases": listing.bases,
        "bytes": listing.bytes,
        "listed_at": iso_time(listing.listed_at),
        "ena": numbers.get("ena"),
        "ncbi": numbers.get("ncbi"),
        "targets": list(listing.targets),
        "remarks": list(listing.sentences()),
    }
