"""Signatures between the local store and the bucket, one run at a time: push, pull, check.

Each may be broken off at any moment and begun again: what is under a final name is whole, and is not sent twice.
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
    """How the two stores may differ in a run."""

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
"""What computing the run again mends."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be; `name` is a run, or the key of an upload."""

    name: str
    problem: Problem
    detail: str


def is_in_bucket(copies: RunCopies) -> bool:
    """Whether, by the listings alone, a run that is here is in the bucket too."""
    if copies.local_path is None or copies.shared_object is None or copies.provenance_object is None:
        return False
    return 0 < copies.shared_object.size == copies.local_path.stat().st_size


def push(copies: RunCopies, local: LocalStore, shared: SharedStore) -> Outcome:
    """See that a run that is here is in the bucket; StoreError if something else is, or if ours is not right."""
    name, path = copies.name, local.path(copies.name)
    again = f"`wort compute --force {name}` makes it again"
    try:
        provenance = local.provenance(name)
    except (OSError, ValueError) as error:
        raise StoreError(Reason.CONFLICT, f"{path}: its provenance can't be read: {error}", again) from None
    document = read_signature(path)
    if (document.name, document.digest) != (name, provenance.digest):
        raise StoreError(Reason.CONFLICT, f"{path} is not what its provenance says", again)
    if copies.shared_object is None:
        return shared.publish_new(path, provenance, name)
    return shared.publish(path, provenance, name)


def pull(name: Accession, local: LocalStore, shared: SharedStore, profile: str, digest: str = "") -> Published:
    """Bring a signature here; StoreError if it is not of that profile and, where one is known, of that digest."""
    with atomic_file(local.path(name)) as file:
        there = shared.fetch(name, file)
        if there is None:
            raise StoreError(Reason.NOT_FOUND, f"{shared.url(name)} is not there", f"`wort compute {name}` makes it")
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
    """How the stores differ in a run: `quick` by the listings alone, else by content."""
    name, here, there = copies.name, copies.local_path, copies.shared_object
    if there is None:
        if here is not None:
            yield Difference(name, Problem.NOT_THERE, f"it is here only: `wort sync push {name}`")
        if copies.provenance_object is not None:
            yield Difference(name, Problem.ORPHANED_PROVENANCE, "in the bucket is a provenance without its signature")
        return
    if here is None:
        yield Difference(name, Problem.NOT_HERE, f"it is in the bucket only: `wort sync pull {name}`")
    elif copies.provenance_object is None:
        yield Difference(name, Problem.NO_PROVENANCE, f"the bucket has none beside it: `wort sync push {name}`")
    if there.size == 0:
        yield Difference(name, Problem.EMPTY, "the object has no bytes")
    elif not quick:
        yield from compare_content(name, here, there, shared, profile)


def compare_content(
    name: Accession, here: Path | None, there: StoredObject, shared: SharedStore, profile: str
) -> Iterator[Difference]:
    """What is wrong with the content of a run's signature, there or here."""
    ours = identify_file(here, name) if here else None
    if here is not None and ours is None:
        yield Difference(name, Problem.UNREADABLE_HERE, f"{here} is not the signature of this run")
    same_bytes = ours is not None and here is not None and has_same_bytes(here, there)
    theirs = ours if same_bytes else shared.identify_by_content(name, there)
    if theirs is None:
        yield Difference(name, Problem.UNREADABLE, "the object is not the signature of this run")
    elif theirs.profile != profile:
        yield Difference(name, Problem.OTHER_PROFILE, f"it is of {theirs.profile or 'an unknown recipe'}")
    elif ours is not None and ours.digest != theirs.digest:
        yield Difference(name, Problem.DIFFERENT, f"digest {theirs.digest} there, {ours.digest} here")


def has_same_bytes(path: Path, there: StoredObject) -> bool:
    """Whether a file is, byte for byte, that object."""
    return path.stat().st_size == there.size and Checksums.of(path).md5 == there.etag


def affects_one_run(error: WortError) -> bool:
    """Whether a trouble is with one run, so that the others can go on; else all of them would meet it."""
    if isinstance(error, StoreError):
        return error.reason not in (Reason.STORAGE_DOWN, Reason.STORAGE_DENIED)
    return isinstance(error, NotASignature)
