"""The runs of a record, as ENA and NCBI list them together: asked once, kept for a while, compared, never a part.

NCBI's list goes first, then ENA's, each into a file; both together become the listing.  A run that only one of them has
is listed too: the other may know it later, or no longer.  Who lists what is counted, so that a difference can be shown.
If one of them gave no list, the other's counts alone, and the listing says why.  If none did, there is no listing.
"""

import gzip
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

from wort_cli.errors import ExitCode, StorageProblem, UsageError, WortError
from wort_cli.model.accession import RecordAccession, RecordKind
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.pipeline.archives.http import Timeouts
from wort_cli.pipeline.projects import ena, ncbi
from wort_cli.pipeline.projects.answers import ENA, NCBI, NoListing, Outcome
from wort_cli.pipeline.projects.kept import EnaQuery, Listing, Selection, Witness, file_name, head_of, kept_listing
from wort_cli.pipeline.projects.spool import Spool
from wort_cli.pipeline.projects.tables import Requests, requests_of
from wort_cli.settings import Settings
from wort_cli.system.atomic_files import atomic_file
from wort_cli.system.cancellation import NEVER, Cancellation
from wort_cli.system.temporary import scratch_directory

TIMEOUTS = Timeouts(connect=10.0, silence=120.0, total=3600.0)
"""A service needs minutes to begin the list of a project with a hundred thousand runs."""
GEO = frozenset({RecordKind.SERIES, RecordKind.GEO_SAMPLE})


class NotListed(StorageProblem):
    """Neither ENA nor NCBI gave a list that can be used."""


class NoRuns(WortError):
    """ENA and NCBI have no runs of a record."""

    exit_code = ExitCode.UNAVAILABLE


def list_runs(
    selection: Selection, settings: Settings, *, refresh: bool = False, cancellation: Cancellation = NEVER
) -> Listing:
    """Return the runs of a record or of a query: the kept listing, or a new one.

    refresh: ask again, whatever the age of the kept one

    Raises NotListed if no service gave a list; NoRuns if there are no runs; UsageError if no service may be asked.
    """
    path = settings.listings_dir / f"{file_name(selection)}.jsonl.gz"
    if not refresh and (kept := kept_listing(path, selection, settings.listing_hours * 3600)):
        return kept
    pauses = (settings.lookup_pause, 5 * settings.lookup_pause)
    with requests_of(settings, TIMEOUTS, pauses, cancellation) as requests:
        try:
            with scratch_directory(settings.cache_dir) as scratch:
                return Lister(requests, settings, scratch).make(selection, path)
        except OSError as error:
            raise StorageProblem(f"the list of runs cannot be kept in {path}: {error.strerror or error}") from error


class Lister:
    """Asks both services about a record, and writes the listing."""

    def __init__(self, requests: Requests, settings: Settings, scratch: Path) -> None:
        self._requests = requests
        self._ena = "" if settings.ena_url == "off" else settings.ena_url
        self._ncbi = "" if settings.entrez_url == "off" else settings.entrez_url.rstrip("/")
        self._scratch = scratch

    def make(self, selection: Selection, path: Path) -> Listing:
        """Return the listing of a record, and keep it at `path`."""
        self._check_services(selection)
        targets: list[Selection] = [selection]
        if isinstance(selection, RecordAccession) and selection.kind in GEO:
            targets = list(self._targets_of_geo(selection))
        spools = [Spool(self._scratch / service, service) for service in (NCBI, ENA)]
        witnesses = [self._ask(spool, targets) for spool in spools if self._may_ask(spool.service, selection)]
        if all(not witness.runs for witness in witnesses):
            raise no_listing(selection, witnesses)
        return combine(selection, targets, spools, witnesses, path, self._scratch / "rows")

    def _check_services(self, selection: Selection) -> None:
        if isinstance(selection, EnaQuery):
            if not self._ena:
                raise UsageError("a query needs ENA, and `ena_url` is off", "set `ena_url`, or give an accession")
        elif selection.kind in GEO and not self._ncbi:
            raise UsageError(f"{selection} needs NCBI, and `entrez_url` is off", "name the project of its runs instead")
        elif not (self._ena or self._ncbi):
            raise UsageError(
                f"the runs of {selection} cannot be listed: `ena_url` and `entrez_url` are off",
                "set one of them, or give the accessions of the runs",
            )

    def _may_ask(self, service: str, selection: Selection) -> bool:
        return bool(self._ena) if service == ENA else bool(self._ncbi) and isinstance(selection, RecordAccession)

    def _targets_of_geo(self, selection: RecordAccession) -> list[RecordAccession]:
        try:
            return ncbi.targets_of_geo(self._requests, self._ncbi, selection)
        except NoListing as error:
            witness = Witness(NCBI, 0 if error.outcome is Outcome.NO_RUNS else None, error.sentence)
            raise no_listing(selection, [witness]) from error

    def _ask(self, spool: Spool, targets: list[Selection]) -> Witness:
        """Write the list of one service; return what it said."""
        with spool:
            said = [self._ask_one(spool, target) for target in targets]
        if failed := [witness for witness in said if witness.runs is None]:
            spool.clear()
            return failed[0]
        return Witness(spool.service, len(spool.sizes), "; ".join(w.why for w in said if w.why and w.runs))

    def _ask_one(self, spool: Spool, target: Selection) -> Witness:
        mark = spool.mark()
        try:
            if spool.service == NCBI and isinstance(target, RecordAccession):
                counted = ncbi.list_of_record(self._requests, self._ncbi, target, spool.add)
                without = counted.experiments - counted.listed
                why = f"{without:,} of {counted.experiments:,} experiments have no run" if without > 0 else ""
                return Witness(NCBI, 1, why)
            ask = ena.list_of_query if isinstance(target, EnaQuery) else ena.list_of_record
            ask(self._requests, self._ena, target, spool.add, lambda: spool.back_to(mark))
            return Witness(ENA, 1)
        except NoListing as error:
            return Witness(spool.service, 0 if error.outcome is Outcome.NO_RUNS else None, error.sentence)


def combine(
    selection: Selection,
    targets: list[Selection],
    spools: list[Spool],
    witnesses: list[Witness],
    path: Path,
    scratch: Path,
) -> Listing:
    """Write the listing of what both services list, and return it: ENA's runs, then those that only NCBI has."""
    from_ncbi, from_ena = spools
    bases = size = runs = 0
    with gzip.open(scratch, "wt", encoding="utf-8", compresslevel=3) as rows:

        def write(run: RunMetadata, *services: str) -> None:
            nonlocal bases, size, runs
            rows.write(json.dumps([*run.values(), services]) + "\n")
            bases, size, runs = bases + (run.bases or 0), size + (run.bytes or 0), runs + 1

        for run in from_ena.runs():
            if run.run not in from_ncbi.sizes:
                write(run, ENA)
            else:
                write(replace(run, bytes=run.bytes or from_ncbi.sizes[run.run]), ENA, NCBI)
        for run in from_ncbi.runs():
            if run.run not in from_ena.sizes:
                write(run, NCBI)
    only = {
        ENA: sum(run not in from_ncbi.sizes for run in from_ena.sizes),
        NCBI: sum(run not in from_ena.sizes for run in from_ncbi.sizes),
    }
    found = tuple(sorted(witnesses, key=lambda witness: witness.service))
    names = () if targets == [selection] else tuple(map(str, targets))
    listing = Listing(str(selection), time.time(), runs, bases, size, found, only, names, path)
    with atomic_file(path) as file, scratch.open("rb") as source:
        file.write(gzip.compress(json.dumps(head_of(listing)).encode() + b"\n", mtime=0))
        shutil.copyfileobj(source, file)
    return listing


def no_listing(selection: Selection, witnesses: list[Witness]) -> WortError:
    """Return the error for a record of which nobody lists runs."""
    asked = " and ".join(sorted(witness.service for witness in witnesses))
    if all(witness.runs == 0 for witness in witnesses):
        return NoRuns(
            f"{asked} list no runs of {selection}", "check the accession; new runs are listed after some days"
        )
    reasons = "; ".join(f"{w.service}: {w.why}" for w in sorted(witnesses, key=lambda w: w.service))
    return NotListed(
        f"the runs of {selection} are not known: {reasons}",
        "nothing was done; try again later, or give the accessions of the runs",
    )
