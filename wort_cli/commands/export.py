"""`wort export`: writes signatures of the catalog into a collection or a directory that sourmash reads."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wort_cli.commands.shared.arguments.options import (
    DryRunOption,
    FromFileOption,
    JsonOption,
    NoHeaderOption,
    OfflineOption,
    ProfileOption,
    ReplaceOption,
    SelectGroupOption,
    StrictOption,
    TrustOption,
    WhereOption,
)
from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.commands.shared.arguments.selection import open_home_to_read
from wort_cli.commands.shared.exporting.export_output import ExportOutput, read_missing
from wort_cli.commands.shared.exporting.export_request import ExportRequest, parse_request, parse_sketch_selection
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import (
    BOOLEAN,
    BYTES,
    COUNT,
    ID,
    MESSAGE,
    PATH,
    TEXT,
    Document,
    Field,
    one_of,
)
from wort_cli.commands.shared.showing.printing import Form, print_records
from wort_cli.commands.shared.syncing.bring_public import bring_public
from wort_cli.errors import ExitCode, StorageProblem, UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.absence import UNAVAILABLE, UNKNOWN, Absence, AbsenceReason
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.profile import Profile
from wort_cli.model.provenance import ESTABLISHED
from wort_cli.reading.limits import ReadLimits
from wort_cli.settings import Settings
from wort_cli.upkeep.export.contents import CRATE_METADATA, MISSING, Example
from wort_cli.upkeep.export.directory_target import DirectoryTarget
from wort_cli.upkeep.export.missing_file import missing_file
from wort_cli.upkeep.export.ro_crate import check_rocrate
from wort_cli.upkeep.export.selection import SketchSelection
from wort_cli.upkeep.export.zip_target import ZipTarget

if TYPE_CHECKING:
    from wort_cli.upkeep.export.exporter import Exported

DOCUMENT = Document(
    "export",
    "What was exported, and what was asked for and is not there.",
    head=(
        Field("output", PATH, "The collection, or the directory"),
        Field("dry_run", BOOLEAN, "Whether nothing was written"),
        Field("signatures", COUNT, "The number of signatures that were exported"),
        Field("sketches", COUNT, "The number of their sketches"),
        Field("kept", COUNT, "How many of these signatures an earlier export had"),
        Field("others", COUNT, "Signatures of an earlier export that were not asked for now; they are kept"),
        Field("bytes", BYTES, "The size of what was added"),
        Field("ro_crate", BOOLEAN, "Whether RO-Crate metadata were written"),
        Field("missing_file", PATH, "The table of what is missing; null in a dry run", optional=True),
    ),
    rows="missing",
    row=(
        Field("name", ID, "The name of the signature; empty if a picklist has only its md5"),
        Field("md5", TEXT, "The md5 of the sketch, if a picklist has it", optional=True),
        Field("state", one_of((*JobState, UNKNOWN)), "The state of its job; unknown if there is none"),
        Field("reason", one_of((*Reason, *AbsenceReason)), "Why it is not there"),
        MESSAGE,
    ),
    columns=("name", "state", "reason", "message"),
)
SHOWN = 20
"""Missing signatures that a terminal shows."""


def export(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID|PATTERN|-", help="Signatures, or a pattern such as 'SRR139*'; - reads a list."),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", metavar="FILE.zip|DIR/", help="Write a collection of sourmash, or into a directory."
        ),
    ] = "",
    group: SelectGroupOption = "",
    from_file: FromFileOption = None,
    trust: TrustOption = "",
    profile: ProfileOption = "",
    where: WhereOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Export all signatures.")] = False,
    ksizes: Annotated[
        list[int] | None, typer.Option("-k", "--ksize", metavar="K", min=1, help="Only sketches of this k; repeatable.")
    ] = None,
    moltype: Annotated[
        str, typer.Option("--moltype", metavar="MOLTYPE", help="Only sketches of this molecule, such as DNA.")
    ] = "",
    scaled: Annotated[
        int | None, typer.Option("--scaled", metavar="N", min=1, help="Reduce the sketches to this scaled, exactly.")
    ] = None,
    picklist: Annotated[
        str,
        typer.Option(
            "--picklist", metavar="FILE:COLUMN:TYPE", help="Only what a table names, as `sourmash sig cat --picklist`."
        ),
    ] = "",
    separate: Annotated[bool, typer.Option("--separate", help="Write each sketch as a signature of its own.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Add what is new to an earlier export, and keep the rest of it.")
    ] = False,
    ro_crate: Annotated[
        bool, typer.Option("--ro-crate", help="Describe the export by RO-Crate metadata, inside of it.")
    ] = False,
    license_: Annotated[
        str, typer.Option("--license", metavar="ID|URL|TEXT", help="The license that these metadata name.")
    ] = "",
    force: ReplaceOption = False,
    offline: OfflineOption = False,
    strict: StrictOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    no_header: NoHeaderOption = False,
) -> None:
    """Export signatures as a collection or a directory of sourmash.

    Every file is compared with its recorded checksum first. What was asked for and is not there is listed, with the
    reason, in FILE.missing.csv or DIR/missing.csv. If no bucket is set, public signatures of named runs are downloaded.

    \b
    Examples:
      wort export -g plankton -o plankton.sig.zip
      wort export -g plankton -o plankton.sig.zip --update
      wort export --where 'organism=Homo sapiens' -o human.sig.zip
      wort export 'SRR139*' -k 31 --scaled 10000 -o small.sig.zip
      wort export -g plankton --ro-crate --license CC0-1.0 -o plankton/
      wort compute --from-file plankton.missing.csv
    """
    if not output:
        raise UsageError("no output file is named", "-o FILE.sig.zip writes a collection, -o DIR/ a directory")
    target = ExportOutput.parse(output)
    if license_ and not ro_crate:
        raise UsageError("--license is for the metadata of --ro-crate", "add --ro-crate")
    if ro_crate:
        check_rocrate()
    target.check(update=update, force=force, ro_crate=ro_crate)
    selection = parse_sketch_selection(ksizes, moltype, scaled, picklist, separate=separate)
    settings, ledger = open_home_to_read(offline=offline)
    of_profile = chosen_profile(profile, settings, ledger)
    request = parse_request(
        ledger,
        of_profile.name,
        words or (),
        from_file,
        group,
        trust,
        where or (),
        selection.picklist,
        everything=everything,
    )
    if bring_public(request, settings, ledger, dry_run=dry_run):
        settings, ledger = open_home_to_read(offline=offline)
    try:
        crate = CrateRequest(of_profile, license_) if ro_crate else None
        found = run_export(request, selection, settings, ledger, target, crate, update=update, dry_run=dry_run)
    except OSError as error:
        raise StorageProblem(
            f"{shown(str(error.filename or target.path), 200)} can't be written: {error.strerror}",
            "an earlier export is unchanged; free some space or choose another place, then run the same command again",
        ) from error
    show(found, Form.of(as_json=as_json), header=not no_header)
    exit_if_missing(found, strict=strict)


class NothingToExport(Exception):
    """No signature that was asked for is there, so that no collection is written."""


@dataclass(frozen=True)
class CrateRequest:
    """RO-Crate metadata that are asked for."""

    profile: Profile
    license: str


@dataclass(frozen=True)
class Export:
    """The result of an export."""

    target: ExportOutput
    dry_run: bool
    done: "Exported"
    others: int
    counts: Mapping[str, int]
    """The number of missing signatures in each state."""
    absences: Sequence[Absence]
    """Missing signatures, in a dry run; otherwise they are in the table."""
    example: Example | None = None
    """A sketch of what was exported."""
    ro_crate: bool = False

    def missing(self) -> Iterator[Absence]:
        """Yield what is missing."""
        return iter(self.absences) if self.dry_run else read_missing(self.target.missing)

    def head(self) -> dict[str, Any]:
        """Return the head of the document."""
        return {
            "output": str(self.target.path),
            "dry_run": self.dry_run,
            "signatures": self.done.signatures,
            "sketches": self.done.sketches,
            "kept": self.done.kept,
            "others": self.others,
            "bytes": self.done.bytes,
            "ro_crate": self.ro_crate,
            "missing_file": None if self.dry_run else str(self.target.missing),
        }


def run_export(
    request: ExportRequest,
    selection: SketchSelection,
    settings: Settings,
    ledger: Ledger,
    target: ExportOutput,
    crate: CrateRequest | None,
    *,
    update: bool,
    dry_run: bool,
) -> Export:
    """Export what is asked for, and write the table of what is missing."""
    from wort_cli.upkeep.export.exporter import Exporter, NoTarget  # imports numpy

    exporter = Exporter(ledger, settings.store_dir, ReadLimits.of(settings), selection)
    unseen, counts, others, example = set(request.names), Counter[str](), 0, None
    entries = request.entries(ledger, unseen)
    if dry_run:
        absences = [*exporter.run(entries, NoTarget()), *request.absences(ledger, unseen)]
        counts.update(absence.state for absence in absences)
        return Export(target, dry_run, exporter.exported, 0, counts, absences)
    with suppress(NothingToExport):
        is_refuted = partial(ledger.catalog.is_refuted, profile=request.profile)
        with target.opened(is_refuted, update=update, keep_contents=crate is not None) as made:
            with missing_file(target.missing) as missing:
                for absence in chain(exporter.run(entries, made), request.absences(ledger, unseen)):
                    missing.add(absence)
                    counts[absence.state] += 1
            if not exporter.exported.signatures and not update:
                raise NothingToExport
            if crate is not None:
                made.finish()
                describe(crate, exporter.exported, made, target, sum(counts.values()))
        others, example = made.others, made.contents.example
    return Export(target, dry_run, exporter.exported, others, counts, (), example, crate is not None)


def describe(
    crate: CrateRequest, done: "Exported", made: ZipTarget | DirectoryTarget, target: ExportOutput, missing: int
) -> None:
    """Add RO-Crate metadata to an export that has all of its signatures."""
    from wort_cli.upkeep.export.ro_crate import CrateFacts, crate_metadata, described

    trusts = [*sorted(done.trusts.items()), ("kept from an earlier export", made.others)]
    text = described(target.stem, [(str(trust), number) for trust, number in trusts if number], missing)
    parameters = f"{crate.profile.name}: {' '.join(crate.profile.sourmash_arguments())}"
    if not target.is_directory:
        made.add_other(MISSING, pieces_of(target.missing))
    facts = CrateFacts(target.stem, text, parameters, crate.license, time.time())
    made.add_other(CRATE_METADATA, crate_metadata(facts, made.contents))


def pieces_of(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def show(export: Export, form: Form, *, header: bool) -> None:
    """Print what is missing; say on stderr what was exported, and what to do next."""
    done, target = export.done, export.target
    number = sum(export.counts.values())
    rows = (absence_record(absence) for absence in export.missing())
    if form is Form.TERMINAL:
        print_records(DOCUMENT, islice(rows, SHOWN), form)
        if number > SHOWN:
            render.notice(f"and {number - SHOWN:,} more: {shown(str(target.missing), 300)}")
    else:
        print_records(DOCUMENT, rows, form, header=header, head=export.head())
    sys.stdout.flush()
    verb = "would be exported" if export.dry_run else "exported"
    details = [f"{done.sketches:,} {'sketch' if done.sketches == 1 else 'sketches'}"]
    if done.kept:
        details.append(f"{done.kept:,} of them were there")
    if export.others:
        details.append(f"{export.others:,} {'other' if export.others == 1 else 'others'} kept")
    where = f" to {shown(str(target.path), 300)}" if done.signatures and not export.dry_run else ""
    render.notice(f"{render.count(done.signatures, 'signature')} {verb}{where} ({', '.join(details)})")
    others = [f"{n:,} {trust}" for trust, n in sorted(done.trusts.items()) if trust not in ESTABLISHED]
    if others:
        render.notice(f"not proved by this home: {', '.join(others)}; --trust computed leaves them out")
    if number:
        states = ", ".join(f"{n:,} {state}" for state, n in sorted(export.counts.items()))
        table = "" if export.dry_run else f": {shown(str(target.missing), 300)}"
        render.notice(f"{number:,} missing ({states}){table}")
    if export.example and not export.dry_run:
        render.notice("next, for example:")
        for line in target.next_commands(export.example):
            render.notice(f"  {render.printable(line)}", fold=False)


def absence_record(absence: Absence) -> dict[str, Any]:
    """Return a missing signature with the keys of DOCUMENT."""
    return {
        "name": absence.name,
        "md5": absence.md5 or None,
        "state": absence.state,
        "reason": absence.reason,
        "message": absence.sentence,
    }


def exit_if_missing(export: Export, *, strict: bool) -> None:
    """Exit with code 1 if something is missing that may yet come, and with 3 if all the rest is unavailable."""
    unavailable = export.counts.get(UNAVAILABLE, 0)
    if sum(export.counts.values()) > unavailable or (not export.done.signatures and not unavailable):
        raise typer.Exit(int(ExitCode.SOME_FAILED))
    if unavailable and (strict or not export.done.signatures):
        raise typer.Exit(int(ExitCode.UNAVAILABLE))
