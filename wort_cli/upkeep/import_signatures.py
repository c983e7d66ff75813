"""Imports signatures: reads a file strictly, copies it into the local store, and records it as unverified.

The file is copied before it is read, so that nobody can change it in between.  A signature of the same name and other
content is never replaced.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from wort_cli.errors import NotASignature, UsageError, WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name, parse_name
from wort_cli.model.job_result import Published
from wort_cli.model.profile import SRA_V1, Profile, profile_for
from wort_cli.model.provenance import Provenance, Trust
from wort_cli.model.signature_file import GZIP_MAGIC
from wort_cli.pipeline.gzip_blocks import write_gzip
from wort_cli.reading.containers import ZIP_MAGIC, unpacked_pieces
from wort_cli.reading.documents import read_provenance
from wort_cli.reading.facts import SignatureFacts
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.signatures import read_facts
from wort_cli.settings import Settings
from wort_cli.stores.bucket_layout import minimal_provenance
from wort_cli.stores.local import LocalStore
from wort_cli.stores.recorded import sha256_of
from wort_cli.system.atomic_files import atomic_file
from wort_cli.upkeep.export.read_rows import row_of


class ImportOutcome(StrEnum):
    """The result of importing a file."""

    IMPORTED = "imported"
    ALREADY_THERE = "already there"


@dataclass(frozen=True)
class Taken:
    """A signature that was imported, or that is there already."""

    name: Name
    outcome: ImportOutcome


class Importer:
    """Imports signatures into one home."""

    def __init__(self, ledger: Ledger, settings: Settings, profile: Profile = SRA_V1) -> None:
        self._ledger = ledger
        self._profile = profile
        self._limits = ReadLimits.of(settings)
        self._store = LocalStore(settings.store_dir, profile.name)

    def take(self, path: Path, *, dry_run: bool) -> Taken:
        """Import the signature in a file.

        Raises NotASignature, or WortError if the catalog or the store has another one of that name; OSError if the
        store cannot be written.
        """
        with tempfile.TemporaryFile(dir=self._store.root) as copy:
            self._copy(path, copy)
            try:
                facts = read_facts(copy, self._limits, self._profile)
            except Refusal as refusal:
                raise NotASignature(path, refusal.why) from None
            name = self._check(path, facts)
            if name is None:
                return Taken(parse_name(facts.name), ImportOutcome.ALREADY_THERE)
            if not dry_run:
                self._record(path, name, facts, copy)
            return Taken(name, ImportOutcome.IMPORTED)

    def _copy(self, path: Path, copy: IO[bytes]) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as source:
                if not path.is_file():
                    raise NotASignature(path, "it is not a regular file")
                if os.fstat(source.fileno()).st_size > self._limits.size:
                    raise NotASignature(path, f"it is larger than {self._limits.size:,} bytes (setting `submit_size`)")
                content = source.read(self._limits.size + 1)
        except OSError as error:
            raise WortError(f"it cannot be read: {error.strerror}", "check its permissions") from error
        if content.startswith(ZIP_MAGIC):
            raise NotASignature(
                path, "it is a zip file; `sourmash sig cat FILE.zip -o FILE.sig` extracts the signature"
            )
        copy.write(content)
        copy.flush()

    def _check(self, path: Path, facts: SignatureFacts) -> Name | None:
        """Return the name of a signature that can be imported; None if it is there already."""
        if facts.profile != profile_for(facts.name, self._profile.name):
            other = (
                f"they are those of {facts.profile}" if facts.profile else "--profile NAME imports those of another one"
            )
            raise NotASignature(path, f"its parameters are not those of the profile {self._profile.name}; {other}")
        try:
            name = parse_name(facts.name)
        except UsageError as error:
            raise NotASignature(path, error.sentence) from None
        record = self._ledger.catalog.get(name, facts.profile)
        if record is None and self._store.has(name):
            raise WortError(
                f"{self._store.path(name)} exists, and no catalog knows it",
                "`wort doctor --repair` adds it to the catalog",
            )
        if record is not None and record.digest != facts.digest:
            raise WortError(
                f"the catalog has another signature of {name}, which is {record.trust}",
                f"`wort verify {name}` shows which is right; `wort rm {name}` removes the one in the store",
            )
        return None if record is not None and self._store.has(name) else name

    def _record(self, path: Path, name: Name, facts: SignatureFacts, copy: IO[bytes]) -> None:
        provenance = provenance_beside(path, facts) or minimal_provenance(name, facts, str(path.absolute()))
        self._store.put_provenance(provenance, name)
        copy.seek(0)
        is_gzipped = copy.read(2) == GZIP_MAGIC
        copy.seek(0)
        with atomic_file(self._store.path(name)) as file:
            if is_gzipped:
                shutil.copyfileobj(copy, file)
            else:
                write_gzip(unpacked_pieces(copy, self._limits.unpacked), file)
            file.flush()
            size, sha256 = os.fstat(file.fileno()).st_size, sha256_of(file)
        published = Published(self._store.key(name), size, provenance, trust=Trust.UNVERIFIED, sha256=sha256)
        with self._ledger.transaction():
            self._ledger.profiles.use(self._profile)
            self._ledger.catalog.record(published)
            rows = [row_of(facts, sketch, self._profile) for sketch in facts.sketches]
            self._ledger.catalog.sketches.add(name, facts.profile, rows)


def provenance_beside(path: Path, facts: SignatureFacts) -> Provenance | None:
    """Return the provenance beside a signature file if it is that of this signature; else None."""
    beside = path.with_name(f"{path.name.removesuffix('.gz').removesuffix('.sig')}.prov.json")
    try:
        if not beside.is_file():
            return None
        with beside.open("rb") as file:
            found = read_provenance(file)
    except (OSError, ValueError):
        return None
    matches = (found.name, found.digest, found.profile) == (facts.name, facts.digest, facts.profile)
    return found if matches else None
