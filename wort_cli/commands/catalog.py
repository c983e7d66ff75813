"""`wort catalog`: writes the sketches of all signatures as one table, which sourmash takes as a manifest."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from wort_cli.api.job_changes import check_group
from wort_cli.commands.shared.arguments.options import (
    JsonOption,
    NoHeaderOption,
    PatternArgument,
    ProfileOption,
    ReplaceOption,
    SelectGroupOption,
    TrustOption,
    WhereOption,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home_to_read, parse_trust, parse_where
from wort_cli.commands.shared.exporting.output import check_parent
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BYTES, COUNT, PATH, Document, Field, one_of
from wort_cli.commands.shared.showing.printing import print_document, print_facts
from wort_cli.errors import StorageProblem, UsageError, shown
from wort_cli.ledger.catalog_rows import CatalogRows, CatalogSelection
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.profile import Profile
from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings


class TableFormat(StrEnum):
    """The format of a catalog, by the end of the file's name."""

    CSV = "csv"
    CSV_GZ = "csv.gz"
    PARQUET = "parquet"
    SQLITE = "sqlite"


DOCUMENT = Document(
    "catalog",
    "The catalog that was written.",
    head=(
        Field("output", PATH, "The file"),
        Field("format", one_of(TableFormat), "Its format"),
        Field("sketches", COUNT, "The number of its rows: one for each sketch"),
        Field("size", BYTES, "Its size"),
        Field("refuted", COUNT, "Signatures that were left out because a verification refuted them"),
        Field(
            "without_sketches", COUNT, "Signatures that were left out because the ledger does not know their sketches"
        ),
    ),
)


def catalog(
    pattern: PatternArgument = "",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Write a .csv, .csv.gz, .parquet or .sqlite file.")
    ] = "",
    group: SelectGroupOption = "",
    trust: TrustOption = "",
    profile: ProfileOption = "",
    where: WhereOption = None,
    local: Annotated[
        bool, typer.Option("--local", help="Only signatures with a file in the local store, which sourmash can open.")
    ] = False,
    force: ReplaceOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Write a table of all sketches.

    It has the columns of sourmash's manifests, checksums, trust, and what is known of runs. Only the ledger is read.
    CSV and SQLite are manifests of sourmash. Parquet needs the extra `parquet`.

    \b
    Examples:
      wort catalog -o catalog.parquet
      wort catalog --local --where 'organism=Homo sapiens' -o human.sqlite
      sourmash sig collect human.sqlite -o all.sqlmf
    """
    path, form = parse_output(output, force=force)
    settings, ledger = open_home_to_read()
    check_group(ledger, group)
    wanted = chosen_profile(profile, settings, ledger)
    ledger.catalog.sketches.add_of_earlier_versions(wanted.name)
    chosen = CatalogSelection(wanted.name, pattern, group, parse_trust(trust), parse_where(where, ledger), local)
    show(path, form, *write(path, form, chosen, ledger, settings, wanted), as_json=as_json, header=not no_header)


def parse_output(text: str, *, force: bool) -> tuple[Path, TableFormat]:
    """Return the file of -o and its format; UsageError if it cannot be written."""
    if not text:
        raise UsageError("no output file is named", "-o FILE.csv, .csv.gz, .parquet or .sqlite names a file")
    path = Path(text).absolute()
    form = next((form for form in TableFormat if path.name.lower().endswith(f".{form}")), None)
    if form is None:
        endings = ", ".join(f".{form}" for form in TableFormat)
        raise UsageError(f"-o {shown(text, 200)} has no ending that names a format", f"the endings are {endings}")
    if form is TableFormat.PARQUET:
        from wort_cli.upkeep.catalog.parquet_catalog import check_pyarrow

        check_pyarrow()
    check_parent(path.parent)
    if path.is_dir():
        raise UsageError(f"{shown(str(path), 200)} is a directory", "name a file")
    if path.exists() and not force:
        raise UsageError(f"{shown(str(path), 200)} exists", "--force replaces it")
    return path, form


def write(
    path: Path, form: TableFormat, chosen: CatalogSelection, ledger: Ledger, settings: Settings, profile: Profile
) -> tuple[int, int, int, int]:
    """Write the catalog; return the numbers of its rows, of refuted signatures, of those without sketches, its size."""
    from wort_cli.system.atomic_files import long_output

    try:
        with ledger.transaction(write=False), long_output(path) as file:  # one state of the ledger
            rows = CatalogRows(ledger.storage, chosen, str(settings.store_dir))
            if form is TableFormat.PARQUET:
                from wort_cli.upkeep.catalog.parquet_catalog import write_parquet

                number = write_parquet(file, rows.pages())
            elif form is TableFormat.SQLITE:
                from wort_cli.ledger.catalog_file import write_sqlite

                number = write_sqlite(Path(file.name), rows.pages(), profile.seed)
            else:
                from wort_cli.upkeep.catalog.csv_catalog import write_csv

                number = write_csv(file, rows.pages(), compressed=form is TableFormat.CSV_GZ)
            left_out = rows.left_out()
        return number, left_out.refuted, left_out.without_sketches, path.stat().st_size
    except OSError as error:
        raise StorageProblem(
            f"{shown(str(error.filename or path), 200)} can't be written: {error.strerror}",
            "an earlier catalog is unchanged; free some space or choose another place",
        ) from error


def show(
    path: Path,
    form: TableFormat,
    number: int,
    refuted: int,
    without_sketches: int,
    size: int,
    *,
    as_json: bool,
    header: bool,
) -> None:
    """Show what was written, and say on stderr what was left out."""
    values = {"output": str(path), "format": str(form), "sketches": number, "size": size}
    if as_json:
        print_document(DOCUMENT, {**values, "refuted": refuted, "without_sketches": without_sketches})
    else:
        print_facts(
            {"output": path, "format": form, "sketches": f"{number:,}", "size": format_bytes(size)}, header=header
        )
    if refuted:
        render.notice(f"{render.count(refuted, 'refuted signature')} left out; --trust mismatch lists them")
    if without_sketches:
        many = render.count(without_sketches, "signature")
        render.notice(f"{many} left out, whose sketches the ledger does not know; `wort export` reads them")
