"""The catalog against the store: entries without their file, other files than were recorded, files without an entry.

What the store has is believed if it is what its own provenance says.  What is lost is queued to be computed again, or,
where nothing is left to compute it from, taken out of the catalog.  No file is deleted.
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
from wort_cli.system.process_identity import own_identity
from wort_cli.upkeep.inconsistency import Inconsistency
from wort_cli.upkeep.ledger_checks import note
from wort_cli.upkeep.leftovers import names_in

READ_BY_ITSELF = 100_000_000
"""Bytes of signatures that are read without being asked to."""
PUT_ASIDE = "damaged"
"""Directory of the store for files that are not what they should be."""


class StoreCheck:
    """Looks at the catalog and the store; `full` reads every signature, not only its size."""

    def __init__(self, ledger: Ledger, root: Path, *, full: bool) -> None:
        self._ledger = ledger
        self._store = LocalStore(root)
        self._bytes = int(ledger.storage.rows("catalog_bytes")[0]["n"])
        self.reads = full or self._bytes <= READ_BY_ITSELF
        """Whether signatures are read."""

    def ailments(self) -> Iterator[Inconsistency]:
        """All that does not fit together."""
        yield from self._entries()
        yield from self._files()
        yield from self._submissions()
        if not self.reads:
            yield Inconsistency(
                "store",
                f"signatures of {self._bytes / 1e9:.1f} GB were compared by their size only",
                hint="`wort doctor --full` reads them all",
                harmless=True,
            )

    # ---- Entries of the catalog

    def _entries(self) -> Iterator[Inconsistency]:
        after = {"name": "", "profile": ""}
        while page := self._ledger.storage.rows("catalog_page", **after, limit=PAGE):
            for row in page:
                if row["path"] and (ailment := self._entry(row)):
                    yield ailment
            after = {"name": page[-1]["name"], "profile": page[-1]["profile"]}

    def _entry(self, row: Row) -> Inconsistency | None:
        path, name = self._store.root / row["path"], row["name"]
        if not path.is_file():
            return Inconsistency(name, f"{path} is gone", partial(self._replace, row, f"{path} was gone"))
        if path.stat().st_size == row["size"] and not self.reads:
            return None
        found = digest_of(path)
        if found == row["digest"]:
            return None
        provenance = self._believed(parse_name(name), found)
        if provenance is not None and provenance.profile == row["profile"]:
            return Inconsistency(
                name, f"{path} is another one than is recorded", partial(self._enter, path, provenance)
            )
        return Inconsistency(name, f"{path} is not what is recorded", partial(self._put_aside, row))

    def _put_aside(self, row: Row) -> str:
        """Move a file away that is wrong, and see to a right one."""
        path = self._store.root / row["path"]
        aside = self._store.root / PUT_ASIDE / f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}"
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        path.replace(aside)
        return self._replace(row, f"{path} was not what is recorded, and is now {aside}")

    def _replace(self, row: Row, why: str) -> str:
        """Have a signature computed again whose file is not there; if that can't be, take it out of the catalog."""
        storage = self._ledger.storage
        key = {"name": row["name"], "profile": row["profile"]}
        if storage.change("clear_path", **key):
            return note(self._ledger, row["name"], f"{why}; it is in the bucket, from where it is read")
        source = self._source(parse_name(row["name"]), row["profile"])
        answer = self._ledger.jobs.enqueue([JobRequest(source, row["profile"])], lost=True)[0] if source else None
        storage.change("remove_signature", **key, path=row["path"])
        if answer is not None and answer.status in (EnqueueStatus.QUEUED, EnqueueStatus.LIVE):
            return note(self._ledger, row["name"], f"{why}; job {answer.job_id} is queued to compute it again")
        left = f"the run is {answer.status}: {answer.reason}" if answer else "the archive it was made of is gone"
        return note(self._ledger, row["name"], f"{why}; removed from the catalog, for {left}")

    def _source(self, name: Name, profile: str) -> Source | None:
        """What a signature can be computed from again; None if nothing is left."""
        record = self._ledger.catalog.get(name, profile)
        made_of = Path(record.provenance.source) if record and record.provenance.source != "remote" else None
        if isinstance(name, Accession):
            jobs = self._ledger.jobs.named(name)
            given = made_of is not None and any(job.source.archive == made_of for job in jobs)
            return Source(name, made_of if given and made_of and made_of.exists() else None)
        return Source(name, made_of) if made_of is not None and made_of.exists() else None

    # ---- Files of the store

    def _files(self) -> Iterator[Inconsistency]:
        for name in self._names():
            known = {row["path"] for row in self._ledger.storage.rows("profiles_of_name", name=str(name))}
            if self._store.key(name) in known:
                continue
            path = self._store.path(name)
            provenance = self._believed(name, digest_of(path))
            if provenance is None:
                yield Inconsistency(
                    str(name),
                    f"{path} is in no catalog, and is not what a provenance beside it says",
                    hint=f"`wort compute --force {name}` makes it again; or move the file away",
                )
            else:
                yield Inconsistency(str(name), f"{path} is in no catalog", partial(self._enter, path, provenance))

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

    def _believed(self, name: Name, digest: str) -> Provenance | None:
        """The provenance beside a signature, if that is the one it tells of."""
        try:
            provenance = self._store.provenance(name)
        except (OSError, ValueError):
            return None
        matches = digest and (provenance.name, provenance.digest) == (name, digest)
        return provenance if matches and profile_at(self._store.path(name)) == provenance.profile else None

    def _enter(self, path: Path, provenance: Provenance) -> str:
        """Enter a signature that stands in the store; a job that was still to make it is done with that."""
        name = parse_name(provenance.name)
        here = provenance.host == platform.node()
        trust = Trust.COMPUTED if here else Trust.UNVERIFIED
        published = Published(self._store.key(name), path.stat().st_size, provenance, trust=trust)
        self._ledger.catalog.record(published)
        said = f"entered {path} into the catalog from its provenance"
        archive = "" if isinstance(name, Accession) else provenance.source
        waiting = self._ledger.storage.row(
            "unstarted_jobs", name=str(name), profile=provenance.profile, archive=archive
        )
        if here and waiting is not None and self._is_made(waiting["id"], published):
            said += f"; job {waiting['id']} is done with that"
        return note(self._ledger, str(name), said)

    def _is_made(self, job_id: int, published: Published) -> bool:
        """End a queued job whose signature is there already."""
        job = self._ledger.attempts.claim(job_id, process_owner(platform.node(), own_identity()), 60)
        if job is None:
            return False
        return self._ledger.attempts.finish(JobResult(job.id, job.attempt, published), RetryPolicy()) is JobState.DONE

    def _submissions(self) -> Iterator[Inconsistency]:
        after = ""
        while page := self._ledger.storage.rows("submission_page", path=after, limit=PAGE):
            for row in page:
                if not (self._store.root / row["path"]).is_file():
                    yield Inconsistency(
                        row["name"], f"{row['path']}, which was handed in, is gone", hint="hand it in again"
                    )
            after = page[-1]["path"]


def digest_of(path: Path) -> str:
    """The digest of a signature file, '' if it is none."""
    try:
        return read_signature(path).digest
    except WortError:
        return ""


def profile_at(path: Path) -> str:
    """The profile of a signature file, '' if it has none."""
    try:
        return profile_of(read_signature(path))
    except WortError:
        return ""
