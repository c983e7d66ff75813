"""`wort import`: takes signatures with their provenance from other homes into the store and the catalog."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wort_cli.commands.shared.arguments.options import DryRunOption, JsonOption, NoHeaderOption, ProfileOption
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home
from wort_cli.commands.shared.jobs import outcome
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import BOOLEAN, ID, MESSAGE, PATH, Document, Field, one_of
from wort_cli.commands.shared.showing.printing import Form
from wort_cli.commands.shared.syncing.sync_report import SyncReport
from wort_cli.errors import NoSuchFile, StorageProblem, WortError, shown
from wort_cli.ledger.ledger import Ledger

if TYPE_CHECKING:
    from wort_cli.upkeep.import_reports import ReportTotals

ENDINGS = (".sig", ".sig.gz")
REPORT = ".jsonl"
NOT_OURS = (".prov.json", ".partial")
IMPORTED, WOULD_BE_IMPORTED = "imported", "would be imported"
DOCUMENT = Document(
    "import",
    "The signatures that were imported, or could not be; not those that were there already.",
    head=(Field("dry_run", BOOLEAN, "Whether nothing was changed"),),
    rows="signatures",
    row=(
        Field("name", ID, "The name of the signature, or the file if it has none"),
        Field("state", one_of((IMPORTED, WOULD_BE_IMPORTED, "failed")), "What was done, or would be done"),
        MESSAGE,
        Field("path", PATH, "The file that was read"),
    ),
    columns=("name", "state", "path", "message"),
)


def import_(
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIR|FILE", help="Signature files, or directories that have some.")
    ],
    profile: ProfileOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Copy signatures into the local store, and record them.

    Brings together what the nodes of a cluster have computed. Each file is checked by the strict reader. What lies
    beside a file proves nothing, so that its trust is `unverified` until `wort verify` has recomputed it.
    NAME.prov.json beside it is kept if it belongs to the signature. A report of
    `wort compute --report FILE` says why runs have no signature, and which digest each signature must have.

    \b
    Examples:
      wort import /scratch/node1/wort/signatures results/
      wort verify SRR139146 --now
    """
    from wort_cli.upkeep.import_reports import ReportTotals
    from wort_cli.upkeep.import_signatures import Importer, ImportOutcome

    for path in paths:
        if not path.exists():
            raise NoSuchFile(path)
    settings, ledger = open_home()
    totals = ReportTotals()
    importer, others = Importer(ledger, settings, chosen_profile(profile, settings, ledger)), 0
    done, form = WOULD_BE_IMPORTED if dry_run else IMPORTED, Form.of(as_json=as_json)
    with SyncReport(DOCUMENT, done, None, form, header=not no_header, head={"dry_run": dry_run}) as report:
        for path, is_named in files_in(paths):
            if path.name.endswith(REPORT):
                take_report(path, ledger, report, totals, dry_run=dry_run)
                continue
            if path.name.endswith(NOT_OURS):
                continue
            if not is_named and not path.name.endswith(ENDINGS):
                others += 1
                continue
            try:
                taken = importer.take(path, dry_run=dry_run)
            except WortError as error:
                report.add_outcome(shown(path.name, 300), error, path=str(path.absolute()))
                continue
            except OSError as error:
                raise StorageProblem(f"{error.filename or path}: {error.strerror}", "see `wort doctor`") from error
            if taken.outcome is ImportOutcome.ALREADY_THERE:
                report.add_in_sync()
            else:
                report.add(taken.name, done, path=str(path.absolute()))
    if others:
        render.notice(f"{render.count(others, 'other file')} skipped")
    if totals.reports:
        explain(totals, ledger)


def take_report(path: Path, ledger: Ledger, report: SyncReport, totals: "ReportTotals", *, dry_run: bool) -> None:
    """Import the report of a task; count its runs."""
    from wort_cli.upkeep.import_reports import import_report

    try:
        found = import_report(path, ledger, dry_run=dry_run)
    except WortError as error:
        report.add_outcome(shown(path.name, 300), error, path=str(path.absolute()))
        return
    totals.add(found.runs)
    for one in found.differing:
        wrong = f"the catalog has another signature than the report; `wort verify {one.name}` shows which is right"
        report.add(str(one.name), "failed", wrong, path=str(path.absolute()), failed=True)


def explain(totals: "ReportTotals", ledger: Ledger) -> None:
    """Write to stderr what the reports say, why runs have no signature, and where the other signatures are."""
    outcome.explain_each(totals.others, in_task=True)
    render.notice(f"{render.count(totals.reports, 'report')}: {outcome.counted(totals.states) or 'no run'}")
    if missing := totals.without_signature(ledger):
        render.notice(f"{render.count(missing, 'signature')} not here yet: `wort sync pull`, or `wort import DIR`")


def files_in(paths: list[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the files that were named, and the regular files below the directories that were named, in order.

    Each comes with whether it was named.

    Links are followed only if they were named.  A directory that cannot be read is named on stderr.
    """

    def explain(error: OSError) -> None:
        render.notice(f"{shown(str(error.filename), 300)} is skipped: {error.strerror}")

    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        for directory, subdirectories, names in os.walk(path, onerror=explain):
            subdirectories.sort()
            for name in sorted(names):
                found = Path(directory) / name
                if found.is_file() and not found.is_symlink():
                    yield found, False
