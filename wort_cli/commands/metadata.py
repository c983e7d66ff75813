"""`wort metadata`: what is known of runs, from the bulk tables of NCBI and ENA."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.commands.shared.arguments.options import JsonOption, NoHeaderOption
from wort_cli.commands.shared.arguments.selection import open_home
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import COUNT, PATH, Document, Field
from wort_cli.commands.shared.showing.printing import print_document, print_facts
from wort_cli.errors import NoSuchFile
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.run_metadata import RunMetadata

DOCUMENT = Document(
    "metadata import",
    "What was imported.",
    head=(
        Field("path", PATH, "The table"),
        Field("runs", COUNT, "The number of rows that were recorded"),
        Field("other_rows", COUNT, "Rows that are not one of a run, which were skipped"),
        Field("unwanted", COUNT, "Rows of runs that --known leaves out"),
    ),
)
app = typer.Typer(help="Import what is known of runs.", no_args_is_help=True)
BATCH = 5000
"""Runs whose names are looked up together."""


@app.command("import")
def import_table(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A table of runs: parquet, CSV, or CSV with gzip.")],
    known: Annotated[
        bool, typer.Option("--known", help="Only runs of which the ledger has a job or a signature.")
    ] = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Record what a table says of runs.

    That is the organism, the library, the platform, amounts and dates. The columns are those of RunInfo, of
    SraRunTable, of ENA's file reports, or of NCBI's metadata in the cloud. The table is read piece by piece, so that it
    may have any size. Needs the extra `bulk` (duckdb).

    \b
    Examples:
      wort metadata import sra_metadata.parquet --known
    """
    from wort_cli.reading.bulk_tables import BulkTable, check_duckdb
    from wort_cli.system.temporary import scratch_directory

    check_duckdb()
    if not file.is_file():
        raise NoSuchFile(file)
    settings, ledger = open_home()
    profile = settings.profile
    with scratch_directory(settings.cache_dir) as spill:
        table = BulkTable(file.absolute(), spill)
        chosen = Chosen(ledger, profile, known=known)
        number = ledger.runs.record((run, file.name) for run in chosen.of(table.runs()))
        table.close()
    values = {"path": str(file.absolute()), "runs": number, "other_rows": table.bad, "unwanted": chosen.unwanted}
    if as_json:
        print_document(DOCUMENT, values)
    else:
        facts = {"path": file.absolute(), "runs": f"{number:,}", "other rows": f"{table.bad:,}"}
        print_facts(facts, header=not no_header)
    if known:
        render.notice(f"{chosen.unwanted:,} runs left out, of which the ledger has neither a job nor a signature")


class Chosen:
    """The runs of a table that are recorded."""

    def __init__(self, ledger: Ledger, profile: str, *, known: bool) -> None:
        self._ledger = ledger
        self._profile = profile
        self._known = known
        self.unwanted = 0

    def of(self, runs: Iterator[RunMetadata]) -> Iterator[RunMetadata]:
        """Yield those of some runs that are recorded."""
        if not self._known:
            yield from runs
            return
        from itertools import islice

        while batch := {run.run: run for run in islice(runs, BATCH)}:
            unknown = set(self._ledger.runs.unknown(batch, self._profile))
            self.unwanted += len(unknown)
            yield from (run for name, run in batch.items() if name not in unknown)
