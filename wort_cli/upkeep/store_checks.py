"""Compares the catalog with the store.

Finds entries without a file, files that differ from their entry, and files without an entry.  A file is believed if it
matches the provenance beside it.  A lost signature is queued to be computed again; if there is nothing left to compute
it from, its entry is removed from the catalog.  No file is deleted.
"""

import platform
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from wort_cli.errors import InvalidName, WortError
from wort_cli.ledger.catalog import PAGE
from wort_cli.ledger.database import Row
from wort_cli.ledger.jobs import EnqueueStatus
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import Accession, Name, parse_name
from wort_cli.model.job import JobRequest, JobState, Source
from wort_cli.model.job_result import JobResult, Published
from wort_cli.model.lease import process_owner
from wort_cli.model.provenance import Provenance, Trust
from wort_cli.model.signature_file import profile_of, read_signature
from wort_cli.stores.local import LocalStore
from wort_cli.system.private_files import make_directories
from wort_cli.system.process_identity import own_identity
from wort_cli.upkeep.inconsistency import Inconsistency
from wort_cli.upkeep.ledger_checks import record_repair
from wort_cli.upkeep.leftovers import names_in

READ_ALL_LIMIT = 100_000_000
"""Bytes of all signatures up to which they are read even without `full`."""
DAMAGED_DIRECTORY = "damaged"
"""The directory of the store to which damaged files are moved."""


class StoreCheck:
    """Checks the catalog and the store; with `full`, every signature is read, not only its size."""

    def __init__(self, ledger: Ledger, root: Path, *, full: bool) -> None:
        self._ledger = ledger
        self._store = LocalStore(root)
        self._bytes = int(ledger.storage.rows("catalog_bytes")[0]["n"])
        self.reads = full or self._bytes <= READ_ALL_LIMIT
        """Whether signatures are read."""

    def inconsistencies(self) -> Iterator[Inconsistency]:
        """Yield all inconsistencies."""
        yield from self._check_entries()
        yield from self._check_files()
        yield from self._check_submissions()
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
        path, name = self._store.root / row["path"], row["name"]
        if not path.is_file():
            return Inconsistency(name, f"{path} is missing", partial(self._recompute, row, f"{path} was missing"))
        if path.stat().st_size == row["size"] and not self.reads:
            return None
        found = digest_of(path)
        if found == row["digest"]:
            return None
        provenance = self._matching_provenance(parse_name(name), found)
        if provenance is not None and provenance.profile == row["profile"]:
            return Inconsistency(
                name, f"{path} is not the recorded signature, but a valid one", partial(self._record, path, provenance)
            )
        return Inconsistency(name, f"{path} is not the recorded signature", partial(self._move_away, row))

    def _move_away(self, row: Row) -> str:
        """Move a damaged file away, and have its signature computed again."""
        path = self._store.root / row["path"]
        moved = self._store.root / DAMAGED_DIRECTORY / f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}"
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
        archive = Path(record.provenance.source) if record and record.provenance.source != "remote" else None
        if isinstance(name, Accession):
            jobs = self._ledger.jobs.named(name)
            requested = archive is not None and any(job.source.archive == archive for job in jobs)
            return Source(name, archive if requested and archive and archive.exists() else None)
        return Source(name, archive) if archive is not None and archive.exists() else None

    # ---- Files of the store

    def _check_files(self) -> Iterator[Inconsistency]:
        for name in self._names():
            known = {row["path"] for row in self._ledger.storage.rows("profiles_of_name", name=str(name))}
            if self._store.key(name) in known:
                continue
            path = self._store.path(name)
            provenance = self._matching_provenance(name, digest_of(path))
            if provenance is None:
                yield Inconsistency(
                    str(name),
                    f"{path} is not in the catalog, and does not match a provenance beside it",
                    hint=f"`wort compute --force {name}` computes it again; or move the file away",
                )
            else:
                yield Inconsistency(str(name), f"{path} is not in the catalog", partial(self._record, path, provenance))

    def _names(self) -> Iterator[Name]:
        yield from self._store.runs()
        for file in names_in(self._store.root / "local"):
            if file.endswith(".sig"):
                try:
                    name = parse_name(file.removesuffix(".sig"))
                except InvalidName:
                    continue
                if not isinstance(name, Accession):
                    yield name

    def _matching_provenance(self, name: Name, digest: str) -> Provenance | None:
        """Return the provenance beside a signature file if its name, digest and profile match; else None."""
        try:
            provenance = self._store.provenance(name)
        except (OSError, ValueError):
            return None
        matches = digest and (provenance.name, provenance.digest) == (name, digest)
        return provenance if matches and profile_at(self._store.path(name)) == provenance.profile else None

    def _record(self, path: Path, provenance: Provenance) -> str:
        """Record a signature of the store in the catalog, and finish a queued job that was to compute it."""
        name = parse_name(provenance.name)
        here = provenance.host == platform.node()
        trust = Trust.COMPUTED if here else Trust.UNVERIFIED
        published = Published(self._store.key(name), path.stat().st_size, provenance, trust=trust)
        self._ledger.catalog.record(published)
        action = f"recorded {path} in the catalog, with its provenance"
        archive = "" if isinstance(name, Accession) else provenance.source
        job = self._ledger.storage.row("unstarted_jobs", name=str(name), profile=provenance.profile, archive=archive)
        if here and job is not None and self._finish_job(job["id"], published):
            action += f"; job {job['id']} is done"
        return record_repair(self._ledger, str(name), action)

    def _finish_job(self, job_id: int, published: Published) -> bool:
        """Finish a queued job with a signature that exists already; return whether that was possible."""
        job = self._ledger.attempts.claim(job_id, process_owner(platform.node(), own_identity()), 60)
        if job is None:
            return False
        return self._ledger.attempts.finish(JobResult(job.id, job.attempt, published), RetryPolicy()) is JobState.DONE

    def _check_submissions(self) -> Iterator[Inconsistency]:
        after = ""
        while page := self._ledger.storage.rows("submission_page", path=after, limit=PAGE):
            for row in page:
                if not (self._store.root / row["path"]).is_file():
                    yield Inconsistency(
                        row["name"], f"the submitted file {row['path']} is missing", hint="submit it again"
                    )
            after = page[-1]["path"]


def digest_of(path: Path) -> str:
    """Return the digest of a signature file; empty if it is not one."""
    try:
        return read_signature(path).digest
    except WortError:
        return ""


def profile_at(path: Path) -> str:
    """Return the profile of a signature file; empty if it has none."""
    try:
        return profile_of(read_signature(path))
    except WortError:
        return ""
