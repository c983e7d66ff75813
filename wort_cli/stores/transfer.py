"""Transfers and compares the signature of one run between the local store and the bucket: push, pull, compare.

Each is idempotent and may be interrupted at any time: a file or object under its final name is complete, and is not
sent again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from wort_cli.errors import NotASignature, WortError
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason
from wort_cli.model.job_result import Published
from wort_cli.model.signature_file import read_signature
from wort_cli.stores.bucket_layout import Checksums, conflict_error, identify_file
from wort_cli.stores.local import LocalStore
from wort_cli.stores.object_store import StoredObject, StoreError
from wort_cli.stores.run_copies import RunCopies
from wort_cli.stores.shared import Outcome, SharedStore
from wort_cli.system.atomic_files import atomic_file


class Problem(StrEnum):
    """How the two stores may differ for a run.  Here is the local store, there is the bucket."""

    NOT_THERE = "not-there"
    NOT_HERE = "not-here"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    UNREADABLE_HERE = "unreadable-here"
    OTHER_PROFILE = "other-profile"
    DIFFERENT = "different"
    NO_PROVENANCE = "no-provenance"
    ORPHANED_PROVENANCE = "orphaned-provenance"
    PENDING_UPLOAD = "pending-upload"


DAMAGED = frozenset({Problem.EMPTY, Problem.UNREADABLE})
"""Problems that computing the run again repairs."""


@dataclass(frozen=True)
class Difference:
    """A difference between the stores; `name` is a run, or the key of an unfinished upload."""

    name: str
    problem: Problem
    detail: str


def is_in_bucket(copies: RunCopies) -> bool:
    """Whether the listings show a local run in the bucket, with the same size and with provenance."""
    if copies.local_path is None or copies.shared_object is None or copies.provenance_object is None:
        return False
    return 0 < copies.shared_object.size == copies.local_path.stat().st_size


def push(copies: RunCopies, local: LocalStore, shared: SharedStore, *, publish_unproved: bool = False) -> Outcome:
    """Publish the local signature of a run.

    Raises StoreError if it is damaged, if the bucket has another one, or if its reads were not proved.
    """
    name, path = copies.name, local.path(copies.name)
    hint = f"`wort compute --force {name}` computes it again"
    try:
        provenance = local.provenance(name)
    except (OSError, ValueError) as error:
        raise StoreError(Reason.CONFLICT, f"{path}: its provenance cannot be read: {error}", hint) from None
    if provenance.is_unproved and not publish_unproved:
        sentence = f"the reads of {name} were not proved undamaged, so its signature is not published"
        raise StoreError(Reason.STORAGE_DENIED, sentence, f"{hint}; or set publish_unproved = true")
    document = read_signature(path)
    if (document.name, document.digest) != (name, provenance.digest):
        raise StoreError(Reason.CONFLICT, f"{path} does not match its provenance", hint)
    if copies.shared_object is None:
        return shared.publish_new(path, provenance, name)
    return shared.publish(path, provenance, name)


def pull(name: Accession, local: LocalStore, shared: SharedStore, profile: str, digest: str = "") -> Published:
    """Download a signature into the local store; raise StoreError unless its profile and digest match."""
    with atomic_file(local.path(name)) as file:
        there = shared.fetch(name, file)
        if there is None:
            hint = f"`wort compute {name}` computes it"
            raise StoreError(Reason.NOT_FOUND, f"{shared.url(name)} does not exist", hint)
        file.flush()
        identity = identify_file(Path(file.name), name)
        if identity is None or identity.profile != profile:
            raise conflict_error(shared.url(name), identity, name, profile)
        for expected in (digest, there.metadata.get("digest", "")):
            if expected not in ("", identity.digest):
                raise conflict_error(shared.url(name), identity, name, profile, expected)
        provenance, trust = shared.provenance_and_trust(name, identity)
        local.put_provenance(provenance, name)
    return Published(local.key(name), there.size, provenance, shared.url(name), trust)


def compare(copies: RunCopies, shared: SharedStore, profile: str, *, quick: bool) -> Iterator[Difference]:
    """Yield the differences of a run: `quick` by the listings alone, otherwise by content."""
    name, here, there = copies.name, copies.local_path, copies.shared_object
    if there is None:
        if here is not None:
            yield Difference(name, Problem.NOT_THERE, f"only the local store has it: `wort sync push {name}`")
        if copies.provenance_object is not None:
            yield Difference(name, Problem.ORPHANED_PROVENANCE, "the bucket has its provenance without the signature")
        return
    if here is None:
        yield Difference(name, Problem.NOT_HERE, f"only the bucket has it: `wort sync pull {name}`")
    elif copies.provenance_object is None:
        yield Difference(name, Problem.NO_PROVENANCE, f"the bucket has no provenance of it: `wort sync push {name}`")
    if there.size == 0:
        yield Difference(name, Problem.EMPTY, "the object has no bytes")
    elif not quick:
        yield from compare_content(name, here, there, shared, profile)


def compare_content(
    name: Accession, here: Path | None, there: StoredObject, shared: SharedStore, profile: str
) -> Iterator[Difference]:
    """Yield the differences in the content of a run's signatures."""
    ours = identify_file(here, name) if here else None
    if here is not None and ours is None:
        yield Difference(name, Problem.UNREADABLE_HERE, f"{here} is not the signature of this run")
    same_bytes = ours is not None and here is not None and has_same_bytes(here, there)
    theirs = ours if same_bytes else shared.identify_by_content(name, there)
    if theirs is None:
        yield Difference(name, Problem.UNREADABLE, "the object is not the signature of this run")
    elif theirs.profile != profile:
        yield Difference(name, Problem.OTHER_PROFILE, f"its profile is {theirs.profile or 'unknown'}")
    elif ours is not None and ours.digest != theirs.digest:
        yield Difference(name, Problem.DIFFERENT, f"digest {theirs.digest} there, {ours.digest} here")


def has_same_bytes(path: Path, there: StoredObject) -> bool:
    """Whether a file has the same bytes as an object."""
    return path.stat().st_size == there.size and Checksums.of(path).md5 == there.etag


def affects_one_run(error: WortError) -> bool:
    """Whether an error concerns one run only; any other error would stop every run."""
    if isinstance(error, StoreError):
        return error.reason not in (Reason.STORAGE_DOWN, Reason.STORAGE_DENIED)
    return isinstance(error, NotASignature)
