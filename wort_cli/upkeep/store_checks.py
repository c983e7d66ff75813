"""Compares the catalog with the store.

Finds entries without a file, files that differ from their entry, and files without an entry.  The catalog is believed,
not what lies beside the bytes: a file that differs from its entry is moved away, and a file without an entry is entered
as unverified.  A lost signature is queued to be computed again; if there is nothing left to compute it from, its entry
is removed from the catalog.  No file is deleted.
"""

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from wort_cli.errors import InvalidName, shown
from wort_cli.ledger.database import Row
from wort_cli.ledger.jobs import EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.listing import PAGE
from wort_cli.model.accession import Accession, Name, parse_name
from wort_cli.model.job import JobRequest, Source
from wort_cli.model.job_result import Published
from wort_cli.model.profile import PROFILES, Profile, profile_option
from wort_cli.model.provenance import Provenance, Recorded, Trust
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.signatures import read_facts
from wort_cli.stores.local import LocalStore
from wort_cli.stores.recorded import is_recorded_file, sha256_of
from wort_cli.system.private_files import make_directories
from wort_cli.upkeep.inconsistency import Inconsistency
from wort_cli.upkeep.ledger_checks import record_repair
from wort_cli.upkeep.leftovers import names_in

READ_ALL_LIMIT = 100_000_000
"""Bytes of all signatures up to which they are read even without `full`."""
DAMAGED_DIRECTORY = "damaged"
"""The directory of the store to which damaged files are moved."""


class StoreCheck:
    """Checks the catalog and the store; with `full`, every signature is read, not only its size."""

    def __init__(self, ledger: Ledger, root: Path, limits: ReadLimits, *, full: bool) -> None:
        self._ledger = ledger
        self._limits = limits
        self._root = root
        self._profiles = (*PROFILES.values(), *ledger.profiles.all())
        self._bytes = int(ledger.storage.rows("catalog_bytes")[0]["n"])
        self.reads = full or self._bytes <= READ_ALL_LIMIT
        """Whether signatures are read."""

    def inconsistencies(self) -> Iterator[Inconsistency]:
        """Yield all inconsistencies."""
        yield from self._check_entries()
        yield from self._check_files()
        yield from self._check_submissions()
        for profile in self._profiles:
            for stray in LocalStore(self._root, profile.name).strays():
                yield Inconsistency(
                    shown(str(stray), 300),
                    "it is not a file of wort's, and is skipped",
                    hint="move it away; `wort import` takes signatures",
                    harmless=True,
                )
        if not self.reads:
            yield Inconsistency(
                "store",
                f"only the sizes of the signatures ({self._bytes / 1e9:.1f} GB) were compared",
                hint="`wort doctor --full` reads them all",
                harmless=True,
            )

    # ---- Entries of the catalog

    def _check_entries(self) -> Iterator[Inconsistency]:
        after = {"name": "", "profile": ""}
        while page := self._ledger.storage.rows("catalog_page", **after, limit=PAGE):
            for row in page:
                if row["path"] and (inconsistency := self._check_entry(row)):
                    yield inconsistency
            after = {"name": page[-1]["name"], "profile": page[-1]["profile"]}

    def _check_entry(self, row: Row) -> Inconsistency | None:
        path, name = self._root / row["path"], row["name"]
        if not path.is_file():
            return Inconsistency(name, f"{path} is missing", partial(self._recompute, row, f"{path} was missing"))
        if path.stat().st_size == row["size"] and not self.reads:
            return None
        recorded = Recorded(row["digest"], Trust(row["trust"]), row["sha256"])
        with path.open("rb") as file:
            if is_recorded_file(file, name, recorded, self._limits):
                return None
        return Inconsistency(name, f"{path} is not the recorded signature", partial(self._move_away, row))

    def _move_away(self, row: Row) -> str:
        """Move a damaged file away, and have its signature computed again."""
        path = self._root / row["path"]
        moved = self._root / DAMAGED_DIRECTORY / f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}"
        make_directories(moved.parent)
        path.replace(moved)
        return self._recompute(row, f"{path} was not the recorded signature, and was moved to {moved}")

    def _recompute(self, row: Row, why: str) -> str:
        """Queue a missing signature to be computed again, or remove its entry if that is impossible."""
        storage = self._ledger.storage
        key = {"name": row["name"], "profile": row["profile"]}
        if storage.change("clear_path", **key):
            return record_repair(self._ledger, row["name"], f"{why}; the bucket has it, and it is read from there")
        source = self._source(parse_name(row["name"]), row["profile"])
        answer = self._ledger.jobs.enqueue([JobRequest(source, row["profile"])], lost=True)[0] if source else None
        storage.change("remove_signature", **key, path=row["path"])
        if answer is not None and answer.status in (EnqueueStatus.QUEUED, EnqueueStatus.LIVE):
            return record_repair(self._ledger, row["name"], f"{why}; job {answer.job_id} is queued to compute it again")
        cause = f"the run is {answer.status}: {answer.reason}" if answer else "the archive it was made from is missing"
        return record_repair(self._ledger, row["name"], f"{why}; removed from the catalog, because {cause}")

    def _source(self, name: Name, profile: str) -> Source | None:
        """Return the source from which a signature can be computed again; None if there is none."""
        record = self._ledger.catalog.get(name, profile)
        local = Source.made_from(name, record.provenance) if record else None
        there = local is not None and bool(local.location) and all(file.exists() for file in local.files)
        if isinstance(name, Accession):
            jobs = self._ledger.jobs.named(name)
            requested = any(job.source == local for job in jobs)
            return local if requested and there else Source(name)
        return local if there else None

    # ---- Files of the store

    def _check_files(self) -> Iterator[Inconsistency]:
        for profile in self._profiles:
            store = LocalStore(self._root, profile.name)
            for name in self._names(store):
                known = {row["path"] for row in self._ledger.storage.rows("paths_of_name", name=str(name))}
                if store.key(name) not in known:
                    yield self._unknown_file(name, store, profile)

    def _unknown_file(self, name: Name, store: LocalStore, profile: Profile) -> Inconsistency:
        path = store.path(name)
        provenance = self._matching_provenance(name, store, profile)
        if provenance is None:
            again = f"`wort compute --force {name}{profile_option(profile.name)}` computes it again"
            return Inconsistency(
                str(name),
                f"{path} is not in the catalog, and does not match a provenance beside it",
                hint=f"{again}; or move the file away",
            )
        why = f"{path} is not in the catalog"
        return Inconsistency(str(name), why, partial(self._record, path, store.key(name), provenance))

    def _names(self, store: LocalStore) -> Iterator[Name]:
        yield from store.runs()
        for file in names_in(self._root / store.folder / "local"):
            if file.endswith(".sig"):
                try:
                    name = parse_name(file.removesuffix(".sig"))
                except InvalidName:
                    continue
                if not isinstance(name, Accession):
                    yield name

    def _matching_provenance(self, name: Name, store: LocalStore, profile: Profile) -> Provenance | None:
        """Return the provenance beside a signature file if its name, digest and profile match; else None."""
        try:
            provenance = store.provenance(name)
            with store.path(name).open("rb") as file:
                facts = read_facts(file, self._limits, profile)
        except (OSError, ValueError, Refusal):
            return None
        matches = (provenance.name, provenance.digest, provenance.profile) == (name, facts.digest, facts.profile)
        return provenance if matches and facts.name == name else None

    def _record(self, path: Path, key: str, provenance: Provenance) -> str:
        """Enter a signature that no catalog knows as unverified."""
        name = parse_name(provenance.name)
        with path.open("rb") as file:
            sha256, size = sha256_of(file), os.fstat(file.fileno()).st_size
        published = Published(key, size, provenance, trust=Trust.UNVERIFIED, sha256=sha256)
        with self._ledger.storage.transaction():
            recorded = self._ledger.catalog.record(published)
        if not recorded:
            return f"the catalog has another signature of {name}; {path} is ignored"
        action = f"recorded {path} in the catalog, as unverified: `wort verify {name}` proves it"
        return record_repair(self._ledger, str(name), action)

    def _check_submissions(self) -> Iterator[Inconsistency]:
        after = ""
        while page := self._ledger.storage.rows("submission_page", path=after, limit=PAGE):
            for row in page:
                if not (self._root / row["path"]).is_file():
                    yield Inconsistency(
                        row["name"], f"the submitted file {row['path']} is missing", hint="submit it again"
                    )
            after = page[-1]["path"]
