"""Adds the sketches of several runs up: of a sample, an experiment, a project, or whatever the metadata say.

Hashes are united and abundances added, exactly, as if the reads of all runs had been sketched together.  Each part is
compared with what the catalog recorded before it is used.  The result has a local name, and its provenance has the
digest of each part.
"""

import gzip
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from wort_cli import __version__
from wort_cli.errors import UsageError, WortError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.absence import Absence, AbsenceReason
from wort_cli.model.accession import Name, parse_name, public_accession
from wort_cli.model.job_result import Published
from wort_cli.model.profile import PROFILES, Profile
from wort_cli.model.provenance import ESTABLISHED, MAX_PARTS, RANKS, Provenance, SignatureRecord, SketchSummary, Trust
from wort_cli.model.signature_file import SignatureDocument, Sketch, digest, parse_signature
from wort_cli.pipeline.seal import write_signature
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.reading.collection import read_collection
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import Refusal
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore
from wort_cli.stores.recorded import sha256_of

MERGED = "merge"
"""The `source` in the provenance of a signature that was added up."""
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
LARGEST_SUM = 2**63
"""The limit of the sum of all abundances of a sketch.  It bounds each of them, so that no sum overflows."""

Parameters = tuple[str, int, int, int, bool]


class CannotMerge(WortError):
    """The sketches of some runs can't be added up."""


class Unusable(Exception):
    """The signature of a part cannot be used."""

    def __init__(self, reason: AbsenceReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Sum:
    """A signature that was added up, or would be: its sketches, its parts, and what is missing."""

    sketches: tuple[Sketch, ...]
    parts: Mapping[str, SignatureRecord]
    missing: tuple[Absence, ...]


def merged_name(value: str) -> Name:
    """Return the local name of the signature for a value of the metadata, such as a sample."""
    text = NOT_IN_NAMES.sub("_", value).strip("._-")[:100]
    if not text or public_accession(text) is not None:
        raise UsageError(f"{shown(value, 200)} can't be the name of a signature", "group the runs by another column")
    return parse_name(text)


class Merger:
    """Adds up signatures of one profile."""

    def __init__(self, ledger: Ledger, settings: Settings, profile: Profile) -> None:
        self._ledger = ledger
        self._store = LocalStore(settings.store_dir, profile.name)
        self._limits = ReadLimits.of(settings)
        self._profile = profile

    def parts(self, names: Sequence[str]) -> tuple[dict[str, SignatureRecord], list[Absence]]:
        """Return the records of the runs that have a signature here, and why the others have none."""
        from wort_cli.upkeep.export.absences import absence_of_name

        if len(names) > MAX_PARTS:
            raise CannotMerge(f"{len(names):,} runs are more than {MAX_PARTS:,}", "group them by another column")
        found, missing = dict[str, SignatureRecord](), list[Absence]()
        for name in names:
            record = self._ledger.catalog.get(parse_name(name), self._profile.name)
            if record is None or record.trust is Trust.MISMATCH:
                missing.append(absence_of_name(self._ledger, name, self._profile.name))
            elif not record.path:
                missing.append(Absence.of(name, AbsenceReason.ONLY_IN_BUCKET, self._profile.name))
            else:
                found[name] = record
        return found, missing

    def earlier(self, name: Name) -> SignatureRecord | None:
        """Return what the catalog has under the name of a sum."""
        return self._ledger.catalog.get(name, self._profile.name)

    def add_up(self, records: Mapping[str, SignatureRecord], missing: Iterable[Absence]) -> Sum:
        """Return the sum of some signatures; a part whose file is not the recorded one is missing."""
        counts, totals, used, absent = dict[Parameters, HashCounts](), dict[Parameters, float](), {}, [*missing]
        for name, record in records.items():
            try:
                document = self._read(record)
            except Unusable as why:
                absent.append(Absence.of(name, why.reason, self._profile.name))
                continue
            found = {parameters(sketch): sketch for sketch in document.sketches}
            if len(found) != len(document.sketches) or not self._profile.fits(found):
                raise CannotMerge(f"the sketches of {name} are not those of the profile {self._profile.name}")
            for key, sketch in found.items():
                added = sketch.abundances if sketch.abundances is not None else np.ones(len(sketch.hashes), np.uint64)
                totals[key] = totals.get(key, 0.0) + float(added.astype(np.float64).sum())
                if totals[key] >= LARGEST_SUM:
                    raise CannotMerge(f"the abundances of k={sketch.k} add up to more than 2^63; nothing was written")
                counts.setdefault(key, HashCounts()).add_table(sketch.hashes, added)
            used[name] = record
        return Sum(tuple(sketch_of(key, table) for key, table in counts.items()), used, tuple(absent))

    def store(self, name: Name, total: Sum, started: float, *, force: bool) -> Published:
        """Write a sum into the local store, and record it.  Raises CannotMerge if the catalog has another signature."""
        if self._store.has(name) and self.earlier(name) is None:
            raise CannotMerge(f"{self._store.path(name)} exists, and no catalog knows it", "move it away")
        provenance = self._provenance(name, total, started)
        with self._store.writing(self._store.path(name)) as file:
            try:
                write_signature(str(name), total.sketches, file)
            except ValueError as error:
                raise CannotMerge(f"{name} can't be written: {error}") from None
            file.flush()
            if parse(file).digest != provenance.digest:
                raise CannotMerge(f"the signature of {name} does not read back as it was written")
            size, sha256 = os.fstat(file.fileno()).st_size, sha256_of(file)
            self._store.put_provenance(provenance, name)
            trust = trust_of(total.parts.values())
            published = Published(self._store.key(name), size, provenance, trust=trust, sha256=sha256)
        with self._ledger.transaction():
            if not self._ledger.catalog.record(published, force=force):
                raise CannotMerge(f"the catalog has another signature of {name}", "--force replaces it")
        return published

    def _provenance(self, name: Name, total: Sum, started: float) -> Provenance:
        made = [record.provenance for record in total.parts.values()]
        return Provenance(
            name=str(name),
            profile=self._profile.name,
            profile_sha256="" if self._profile.name in PROFILES else self._profile.sha256,
            digest=digest(total.sketches),
            sketches=tuple(summary(sketch) for sketch in total.sketches),
            spots=sum(one.spots for one in made),
            spots_passed=sum(one.spots_passed for one in made),
            reads=sum(one.reads for one in made),
            bases=sum(one.bases for one in made),
            source=MERGED,
            source_size=0,
            source_sha256="",
            source_mtime=0.0,
            validated=False,
            tools={"wort": __version__},
            argv=(),
            slices=0,
            engine=MERGED,
            started_at=started,
            seconds=time.time() - started,
            host=os.uname().nodename,
            parts={name: record.digest for name, record in total.parts.items()},
            missing={absence.name: absence.reason for absence in total.missing},
        )

    def _read(self, record: SignatureRecord) -> SignatureDocument:
        """Return a signature of the store; raise Unusable unless it is the recorded one."""
        path = self._store.root / record.path
        try:
            with path.open("rb") as file:
                if record.sha256 and sha256_of(file) != record.sha256:
                    raise Unusable(AbsenceReason.NOT_THE_RECORDED)
                own = bool(record.sha256) and record.trust in (*ESTABLISHED, Trust.UNPROVED)
                documents = read_collection(file, self._limits, own=own)
        except Refusal:
            raise Unusable(AbsenceReason.NOT_THE_RECORDED) from None
        except OSError:
            raise Unusable(AbsenceReason.FILE_MISSING) from None
        if len(documents) != 1 or (not record.sha256 and documents[0].digest != record.digest):
            raise Unusable(AbsenceReason.NOT_THE_RECORDED)
        return documents[0]


def parameters(sketch: Sketch) -> Parameters:
    """Return what must be equal in sketches that are added up, as `Profile.fits` takes it."""
    return sketch.moltype, sketch.ksize, sketch.seed, sketch.max_hash, sketch.abundances is not None


def sketch_of(key: Parameters, counts: HashCounts) -> Sketch:
    """Return the sum of sketches with some parameters."""
    moltype, ksize, seed, max_hash, has_abundances = key
    hashes, abundances = counts.table()
    return Sketch(ksize, seed, max_hash, hashes, abundances if has_abundances else None, moltype)


def summary(sketch: Sketch) -> SketchSummary:
    """Return the summary of a sketch."""
    total = 0 if sketch.abundances is None else int(sketch.abundances.sum())
    return SketchSummary(sketch.k, len(sketch.hashes), total, sketch.md5sum())


def trust_of(records: Iterable[SignatureRecord]) -> Trust:
    """Return the trust in a sum: that of its least trusted part, and at most `computed`."""
    trusts = [record.trust for record in records]
    lowest = max(trusts, key=RANKS.index)
    return Trust.COMPUTED if lowest in ESTABLISHED else lowest if lowest is Trust.UNPROVED else Trust.UNVERIFIED


def parse(file: IO[bytes]) -> SignatureDocument:
    """Return the signature in an open file that was just written."""
    file.seek(0)
    return parse_signature(gzip.decompress(file.read()))
